"""What must be done before FaceQueue's processes start: weights, tables, a first account."""

from __future__ import annotations

import hashlib
import json
import secrets
import subprocess
import sys

from scripts.stack.environment import process_environment, settings_of
from scripts.stack.failures import StackError
from scripts.stack.state import ROOT, State

_FLASK = ("-m", "flask", "--app", "wsgi")


def install_models(state: State) -> None:
    """Fetch and verify the default model's weights; workers verify them again as they load them."""
    digest = _digest("app/domain/models.toml")
    if state.facts.get("models") == digest and any(state.models.glob("*.onnx")):
        return
    state.models.mkdir(mode=0o700, parents=True, exist_ok=True)
    _run(state, *_FLASK, "models", "install", "SFace")
    _remember(state, models=digest)


def migrate(state: State) -> None:
    """Bring the database to the newest revision, unless this stack knows that it is there."""
    digest = _digest("migrations/**/*.py")
    if state.facts.get("migrations") == digest:
        return
    _run(state, *_FLASK, "db", "upgrade")
    _remember(state, migrations=digest)


def make_account(state: State) -> None:
    """A tenant with a key and the right to read the stack's bucket, once."""
    if "api_key" in state.facts:
        return
    _remember(state, **new_tenant(state, "quickstart"))


def new_tenant(state: State, name: str) -> dict[str, str]:
    """Make a tenant that may read the stack's bucket: its `tenant_id` and an admin `api_key`."""
    # A name of its own: one that an interrupted start has made must not stand in the way.
    unique = f"{name}-{secrets.token_hex(4)}"
    bucket = settings_of(state)["AWS_STORAGE_BUCKET_NAME"]
    answer: dict[str, str] = json.loads(
        _run(state, "-m", "scripts.stack.new_tenant", unique, f"s3://{bucket}/")
    )
    return answer


def _digest(pattern: str) -> str:
    digest = hashlib.sha256()
    for path in sorted(ROOT.glob(pattern)):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _remember(state: State, **facts: str) -> None:
    state.facts |= facts
    state.save()


def _run(state: State, *arguments: str) -> str:
    """Run Python with the stack's settings and return the last line it printed.

    Raises:
        StackError: it failed; the last line of its complaint is in the message.
    """
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=process_environment(state),
        capture_output=True,
        text=True,
        check=False,
    )
    log = state.logs / "commands.log"
    with log.open("a") as handle:
        handle.write(f"$ python {' '.join(arguments)}\n{result.stderr}\n")
    if result.returncode != 0:
        words = (result.stderr.strip() or result.stdout.strip() or "no word").splitlines()[-1]
        raise StackError(f"`{' '.join(arguments[1:])}` failed: {words} (see {log})")
    return (result.stdout.strip().splitlines() or [""])[-1]
