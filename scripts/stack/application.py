"""FaceQueue's own processes, started as in production, and what must be done before they start."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import requests

from scripts.stack.environment import process_environment, recognition_children, settings_of
from scripts.stack.failures import StackError
from scripts.stack.programs import Program
from scripts.stack.state import ROOT, State

_CELERY = (sys.executable, "-m", "celery", "-A", "celery_worker:celery")
_SCHEDULER = "workers.beat_scheduler:BeatScheduler"


def programs(state: State) -> list[Program]:
    """The processes of one host."""
    return [
        Program(
            "api",
            (sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "wsgi:app"),
            ready=_answers("FACEQUEUE_URL", "/health/"),
            ports=("api",),
            stop_seconds=20,
        ),
        _worker("recognition", "recognition", "prefork", recognition_children()),
        _worker("default", "webhooks,analytics,default", "threads", 8),
        Program(
            "dispatcher", (sys.executable, "-m", "workers.dispatcher"), ready_words='"leading"'
        ),
        Program(
            "beat",
            (*_CELERY, "beat", "-S", _SCHEDULER, "--pidfile="),
            ready_words="Schedule changed",
            late=True,
        ),
        Program(
            "flower",
            (*_CELERY, "flower", "--address=127.0.0.1", f"--port={state.ports['flower']}"),
            ready=_answers("FLOWER_URL", "/healthcheck"),
            ports=("flower",),
            late=True,
            # Its password, in the environment and so not in the list of processes.
            environment={"FLOWER_BASIC_AUTH": settings_of(state)["FLOWER_BASIC_AUTH"]},
        ),
    ]


def _worker(name: str, queues: str, pool: str, size: int) -> Program:
    extra = ("--prefetch-multiplier", "1") if pool == "prefork" else ()
    command = (
        *_CELERY,
        "worker",
        "-Q",
        queues,
        "-n",
        f"{name}@%h",
        "--pool",
        pool,
        "-c",
        str(size),
    )
    return Program(
        name=name,
        command=(*command, *extra, "--without-mingle", "--without-gossip"),
        ready_words=" ready.",
        stop_seconds=40,  # a busy one stops at a batch boundary within 30 s
        environment={"REMAP_SIGTERM": "SIGQUIT"},
    )


def _answers(setting: str, path: str) -> Callable[[State], bool]:
    def ready(state: State) -> bool:
        try:
            return requests.get(settings_of(state)[setting] + path, timeout=5).ok
        except requests.RequestException:
            return False

    return ready


def migrate(state: State) -> None:
    """Bring the database to the newest revision."""
    flask(state, "db", "upgrade")


def install_models(state: State) -> None:
    """Fetch and verify the weights of the default model, once."""
    state.models.mkdir(mode=0o700, exist_ok=True)
    flask(state, "models", "install", "SFace")


def make_account(state: State) -> None:
    """A tenant with a key and the right to read the stack's bucket, once."""
    bucket = settings_of(state)["AWS_STORAGE_BUCKET_NAME"]
    if "api_key" in state.facts:
        return
    # A name of its own: one that an interrupted start has made must not stand in the way.
    tenant = flask(state, "tenants", "create", f"quickstart {secrets.token_hex(3)}")
    flask(state, "buckets", "allow", "--tenant", tenant, f"s3://{bucket}/")
    key = flask(
        state, "api-keys", "create", "--tenant", tenant, "--name", "quickstart", "--scopes", "admin"
    )
    state.facts |= {"tenant_id": tenant, "api_key": key}
    state.save()


def flask(state: State, *arguments: str) -> str:
    """Run one of the application's commands and return the last line it printed.

    Raises:
        StackError: the command failed; the last line of its complaint is in the message.
    """
    result = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
        cwd=ROOT,
        env=process_environment(state),
        capture_output=True,
        text=True,
        check=False,
    )
    log = Path(state.logs / "commands.log")
    with log.open("a") as handle:
        handle.write(f"$ flask {' '.join(arguments)}\n{result.stderr}\n")
    if result.returncode != 0:
        complaint = (result.stderr.strip() or result.stdout.strip()).splitlines()[-1:] or [
            "no word"
        ]
        raise StackError(f"`flask {' '.join(arguments)}` failed: {complaint[0]} (see {log})")
    return (result.stdout.strip().splitlines() or [""])[-1]
