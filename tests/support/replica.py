"""A streaming replica of the tests' PostgreSQL, made with the command of docs/replica.md."""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg2

from scripts.stack import postgres
from scripts.stack.databases import superuser
from scripts.stack.environment import HOST
from scripts.stack.state import ROOT, State
from tests.support.ports import free_port
from tests.support.processes import wait_until


class StreamingReplica:
    """A server beside the stack's, which a test may kill, freeze, hold back and promote."""

    def __init__(self, state: State) -> None:
        self.name = f"replica_{secrets.token_hex(4)}"
        self.port = free_port()
        self._state = state
        self._folder = postgres.home(state) / self.name
        self._programs = Path(postgres.program(state).command[0]).parent
        self._server: subprocess.Popen[bytes] | None = None

    def copy(self) -> None:
        """Copy the primary, by the command of the page."""
        (command,) = re.findall(
            r"^\$ pg_basebackup (.*)$", (ROOT / "docs/replica.md").read_text(), re.MULTILINE
        )
        adapted = (
            command.replace("PRIMARY -p 5432", f"{HOST} -p {self._state.ports['postgres']}")
            .replace("-U facequeue_replica", "-U postgres")
            .replace("-S facequeue_replica", f"-S {self.name}")
            .replace('"$PGDATA"', str(self._folder))
        )
        done = self._as_account("pg_basebackup", *adapted.split())
        _output, errors = done.communicate(timeout=300)
        assert done.returncode == 0, errors

    def start(self) -> None:
        options = {
            "port": self.port,
            "listen_addresses": HOST,
            "unix_socket_directories": "",
            "max_connections": 200,
            "shared_buffers": "32MB",
            "fsync": "off",
        }
        flags = [flag for name, value in options.items() for flag in ("-c", f"{name}={value}")]
        self._server = self._as_account("postgres", "-D", str(self._folder), *flags)
        wait_until(self.answers, seconds=120, what="the replica's answer")

    def kill(self) -> None:
        """End the server and its sessions, as a lost machine does."""
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if self._server is not None:
            self._server.communicate(timeout=30)

    def freeze(self) -> None:
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                process.suspend()

    def thaw(self) -> None:
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def hold_back(self) -> None:
        """Stop replaying, once all that is committed now has been replayed."""
        self.catch_up()
        self.ask("SELECT pg_wal_replay_pause()")
        paused = "SELECT pg_get_wal_replay_pause_state() = 'paused'"
        wait_until(lambda: self.ask(paused) is True, what="the pause")

    def go_on(self) -> None:
        self.ask("SELECT pg_wal_replay_resume()")

    def catch_up(self) -> None:
        with superuser(self._state) as primary, primary.cursor() as cursor:
            cursor.execute("SELECT CAST(pg_current_wal_insert_lsn() AS text)")
            position = cursor.fetchone()[0]  # type: ignore[index] # it has a row
            # Something to follow, should the position be the head of an empty page.
            cursor.execute("SELECT pg_log_standby_snapshot()")
        reached = f"SELECT pg_last_wal_replay_lsn() >= '{position}'"
        wait_until(lambda: self.ask(reached) is True, seconds=60, what="the replica's replay")

    def promote(self) -> None:
        self.ask("SELECT pg_promote()")

    def remove(self) -> None:
        self.thaw()
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
        with superuser(self._state) as primary, primary.cursor() as cursor:
            free = "SELECT count(*) FROM pg_replication_slots WHERE slot_name = %s AND active"
            wait_until(lambda: _scalar(cursor, free, self.name) == 0, what="the slot's end")
            drop = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
            cursor.execute(f"{drop} WHERE slot_name = %s", [self.name])

    def ask(self, question: str) -> Any:
        """One value, asked as superuser."""
        with closing(self._connect()) as connection, connection.cursor() as cursor:
            return _scalar(cursor, question)

    def answers(self) -> bool:
        """Whether it lets its superuser in."""
        try:
            return bool(self.ask("SELECT pg_last_wal_replay_lsn() IS NOT NULL"))
        except psycopg2.OperationalError:
            return False

    def _connect(self) -> Any:
        return psycopg2.connect(
            host=HOST,
            port=self.port,
            user="postgres",
            password=self._state.secrets["superuser_password"],
            dbname="postgres",
            connect_timeout=5,
        )

    def _processes(self) -> list[psutil.Process]:
        if self._server is None or self._server.poll() is not None:
            return []
        server = psutil.Process(self._server.pid)
        return [server, *server.children(recursive=True)]

    def _as_account(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        user = postgres.account()
        identity: dict[str, Any] = {}
        if user is not None:
            identity = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
        return subprocess.Popen(  # noqa: S603 - PostgreSQL's own programs
            [str(self._programs / program), *arguments],
            cwd=postgres.home(self._state),
            env={"PGPASSWORD": self._state.secrets["superuser_password"], "PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if program == "postgres" else subprocess.PIPE,
            **identity,
        )


@contextmanager
def streaming_replica(state: State) -> Iterator[StreamingReplica]:
    """A replica that runs; gone at the end, with its data and its slot."""
    replica = StreamingReplica(state)
    try:
        replica.copy()
        replica.start()
        yield replica
    finally:
        replica.remove()


def _scalar(cursor: Any, question: str, *values: Any) -> Any:
    cursor.execute(question, values or None)
    return cursor.fetchone()[0]
