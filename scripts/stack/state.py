"""The stack's memory: its folder, the ports it chose, the secrets it generated."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import secrets
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from scripts.stack.failures import StackError

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_STATE = ROOT / ".facequeue"

# The address of a unix socket has at most 108 bytes, and supervisord adds a suffix of its own.
_LONGEST_SOCKET_FOLDER = 70

# Two steps of a start that run side by side may both have something to remember.
_SAVING = threading.Lock()

# What supervisord's or Redis's configuration would not take as it stands.
_ODD = frozenset(",%;#\"'\\\n")

_PASSWORDS = (
    "superuser_password",
    "owner_password",
    "app_password",
    "queue_password",
    "redis_password",
    "flower_password",
    "supervisor_password",
    "s3_access_key",
    "s3_secret_key",
    "s3_inner_key",
    "secret_key",
)


@dataclass
class State:
    """A stack's folder and what is remembered in its `stack.json` (mode 0600)."""

    folder: Path
    ports: dict[str, int] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def env_file(self) -> Path:
        """Shell lines that export every setting."""
        return self.folder / "env"

    @property
    def logs(self) -> Path:
        """One log a program."""
        return self.folder / "log"

    @property
    def models(self) -> Path:
        """Verified model weights: one folder for all stacks of this clone."""
        return DEFAULT_STATE / "models"

    @property
    def identity(self) -> str:
        """Twelve hex digits that tell this stack from others on the machine."""
        return hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]

    @property
    def sockets(self) -> Path:
        """A private folder whose name is short enough for unix sockets."""
        inside = self.folder / "run"
        if len(str(inside)) <= _LONGEST_SOCKET_FOLDER:
            return inside
        return Path(tempfile.gettempdir()) / f"facequeue-{os.getuid()}-{self.identity}"

    @property
    def is_default(self) -> bool:
        """Whether this is the stack of the quickstart, not one made for tests."""
        return self.folder == DEFAULT_STATE

    def save(self) -> None:
        """Write `stack.json`, whole or not at all."""
        with _SAVING:
            self._write()

    def _write(self) -> None:
        remembered = {key: value for key, value in asdict(self).items() if key != "folder"}
        write_private(self.folder / "stack.json", json.dumps(remembered, indent=1) + "\n")


def load_state(folder: Path = DEFAULT_STATE) -> State:
    """The remembered state of a folder, or a new one that nothing has been written for."""
    folder = folder.resolve()
    path = folder / "stack.json"
    if not path.exists():
        return State(folder)
    try:
        return State(folder, **json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise StackError(
            f"{path} is damaged ({error}). `./scripts/quickstart.sh reset` starts afresh."
        ) from error


def prepare_state(folder: Path = DEFAULT_STATE) -> State:
    """The state of a folder, made on first use: private folders and generated secrets."""
    state = load_state(folder)
    _refuse_odd(state.folder)
    for directory in (state.folder, state.logs, state.sockets):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _refuse_foreign(state.sockets)
    for name in _PASSWORDS:
        state.secrets.setdefault(name, secrets.token_hex(20))
    state.secrets.setdefault("fernet_key", base64.urlsafe_b64encode(os.urandom(32)).decode())
    state.secrets.setdefault("audit_signing_key", base64.b64encode(os.urandom(32)).decode())
    state.save()
    return state


def _refuse_odd(folder: Path) -> None:
    odd = sorted(_ODD & set(str(folder)))
    if odd:
        raise StackError(
            f"{folder} has {' '.join(odd)} in its name, which configuration files give a meaning. "
            "Move the repository to a folder without."
        )


def _refuse_foreign(folder: Path) -> None:
    if folder.stat().st_uid != os.getuid():
        raise StackError(
            f"{folder} belongs to another user. Run as that user, or remove it and start again."
        )


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock: two commands never start or stop the same stack at once."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = path.with_name(path.name + ".draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text)
    draft.replace(path)
