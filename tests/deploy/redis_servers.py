"""Redis servers and sentinels of Debian's, with the files of deploy/redis filled in."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from scripts.stack.state import ROOT
from tests.support.processes import wait_until

FOLDER = ROOT / "deploy/redis"
HOST, SERVICE = "127.0.0.1", "facequeue"
# As they stand in an address, and as Redis is told: with what must be quoted in one.
PASSWORD, QUOTED = "hush/hush@1", "hush%2Fhush%401"
SENTINEL_PASSWORD = "hush-sentinel"


@dataclass(frozen=True)
class Server:
    """One process at `port`; `files` are redis-py's arguments for TLS, none without."""

    process: subprocess.Popen[bytes]
    port: int
    password: str
    files: dict[str, Any]

    def ask(self, *command: str) -> Any:
        """What it answers; None: it does not."""
        try:
            with self.client() as client:
                return client.execute_command(*command)  # type: ignore[no-untyped-call]
        except redis.RedisError:
            return None

    def client(self, number: int = 0) -> redis.Redis:
        return redis.Redis(
            host=HOST,
            port=self.port,
            password=self.password,
            db=number,
            decode_responses=True,
            **self.files,
        )


@contextmanager
def server(
    folder: Path, port: int, *lines: str, files: dict[str, Any] | None = None
) -> Iterator[Server]:
    """Redis with deploy/redis/redis.conf, and what else is said."""
    own = (f"port {port}", f"requirepass {PASSWORD}", f"masterauth {PASSWORD}", *lines)
    text = (FOLDER / "redis.conf").read_text()
    with _running("redis-server", folder / f"redis-{port}", text, own) as process:
        started = Server(process, port, PASSWORD, files or {})
        wait_until(lambda: started.ask("PING") is not None, what="Redis")
        yield started


@contextmanager
def sentinel(folder: Path, port: int, master: int) -> Iterator[Server]:
    """A sentinel with deploy/redis/sentinel.conf, which gives up a master after a second."""
    text = (FOLDER / "sentinel.conf").read_text()
    for shipped, here in (
        (f"monitor {SERVICE} {HOST} 6379 2", f"monitor {SERVICE} {HOST} {master} 2"),
        ("down-after-milliseconds facequeue 5000", "down-after-milliseconds facequeue 1000"),
        ("failover-timeout facequeue 30000", "failover-timeout facequeue 5000"),
    ):
        assert shipped in text
        text = text.replace(shipped, here)
    own = (
        f"port {port}",
        f"requirepass {SENTINEL_PASSWORD}",
        f"sentinel sentinel-pass {SENTINEL_PASSWORD}",
        f"sentinel auth-pass {SERVICE} {PASSWORD}",
    )
    with _running("redis-sentinel", folder / f"sentinel-{port}", text, own) as process:
        yield Server(process, port, SENTINEL_PASSWORD, {})


@contextmanager
def _running(
    program: str, home: Path, text: str, own: Sequence[str]
) -> Iterator[subprocess.Popen[bytes]]:
    home.mkdir()
    configuration = home / "own.conf"
    configuration.write_text("\n".join((text, f'dir "{home}"', *own)) + "\n")
    with (
        (home / "log").open("wb") as log,
        subprocess.Popen([program, configuration], stdout=log, stderr=log) as process,  # noqa: S603 - Redis
    ):
        try:
            yield process
        finally:
            process.kill()
