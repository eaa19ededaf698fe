"""A PostgreSQL server of its own, of the embedded package, in a folder that is gone afterwards."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import make_url

from scripts.keeping.failures import KeepingError
from scripts.keeping.server import Server
from scripts.stack import postgres
from scripts.stack.environment import database_url
from scripts.stack.ports import choose_ports
from scripts.stack.state import State, prepare_state

_START_S = 120.0
_POLL_S = 0.1


@dataclass
class ScratchServer:
    """Started and stopped at will, on one data folder or another."""

    state: State
    _process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def home(self) -> Path:
        """Below it the server's user may read and write."""
        return postgres.home(self.state)

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.state.logs / "postgres.log"

    def as_role(self, role: str, database: str = "postgres") -> Server:
        """The server as a role: superuser, owner, app or queue."""
        return Server(make_url(database_url(self.state, role, database)))

    def start(
        self,
        options: Mapping[str, str] | None = None,
        *,
        data: Path | None = None,
        own_options: bool = True,
    ) -> None:
        """Start on a data folder, with further options; returns once it lets its superuser in.

        Without `own_options`, what stands in the data folder decides all but where it listens.

        Raises:
            KeepingError: it does not come up; its last words are in the message.
        """
        command = list(postgres.program(self.state).command)
        if data is not None:
            command[command.index("-D") + 1] = str(data)
        if not own_options:
            command = command[: command.index("-c")]
            command += self._where()
        for name, value in (options or {}).items():
            command += ["-c", f"{name}={value}"]
        user = postgres.account()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                extra_groups=None if user is None else [],
                user=user,
                group=None if user is None else pwd.getpwnam(user).pw_gid,
            )
        self._wait_until_ready(self._process)

    def stop(self, *, at_once: bool = False) -> None:
        """Stop it in order, or as a power cut would."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
        self._process.wait(60)
        self._process = None

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_S
        while not postgres.is_ready(self.state):
            if process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise KeepingError(f"the scratch server did not come up: {self._last_words()}")
            time.sleep(_POLL_S)

    def _where(self) -> list[str]:
        options = ("listen_addresses=127.0.0.1", f"port={self.state.ports['postgres']}")
        return ["-c", options[0], "-c", options[1], "-c", "unix_socket_directories="]

    def _last_words(self) -> str:
        return " ".join(self.log.read_text(errors="replace").splitlines()[-3:])[-500:]


@contextmanager
def scratch_server() -> Iterator[ScratchServer]:
    """A new, empty cluster that is not started yet."""
    with tempfile.TemporaryDirectory(prefix="facequeue-scratch-") as folder:
        state = prepare_state(Path(folder))
        choose_ports(state)
        server = ScratchServer(state)
        try:
            postgres.prepare(state)
            yield server
        finally:
            server.stop()
            postgres.remove(state)
