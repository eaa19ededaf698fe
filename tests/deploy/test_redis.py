"""FaceQueue's broker, counters and readiness with sentinels that fail over, and with TLS."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
import redis
from flask import Flask
from limits import RateLimitItemPerMinute
from limits.strategies import FixedWindowRateLimiter

from app.adapters.task_queue import TaskQueue, make_celery
from app.config import Settings, load_settings
from app.domain.names import TaskName
from app.services.upkeep.check_readiness import check_readiness
from app.services.upkeep.counting_storage import counting_storage
from tests.deploy.programs import needs
from tests.support.processes import wait_until

pytestmark = [needs("redis-server", "redis-sentinel", "openssl"), pytest.mark.xdist_group("redis")]

HOST, PASSWORD, MASTER = "127.0.0.1", "hush/hush@1", "facequeue"
QUOTED = "hush%2Fhush%401"
CONF = Path(__file__).parents[2] / "deploy/redis/redis.conf"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(folder: Path, port: int, *lines: str) -> Iterator[subprocess.Popen[bytes]]:
    """Redis with the file of deploy/, and what else is said."""
    home = folder / f"redis-{port}"
    home.mkdir()
    own = (f"port {port}", f'dir "{home}"', f"requirepass {PASSWORD}", f"masterauth {PASSWORD}")
    (home / "own.conf").write_text("\n".join((f"include {CONF}", *own, *lines)) + "\n")
    with running(["redis-server", str(home / "own.conf")], home / "log") as process:
        yield process


@contextmanager
def running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=output) as process,  # noqa: S603 - Redis
    ):
        yield process
        process.kill()


@contextmanager
def sentinel(folder: Path, master: int) -> Iterator[int]:
    port = free_port()
    home = folder / f"sentinel-{port}"
    home.mkdir()
    (home / "own.conf").write_text(
        f'bind {HOST}\nport {port}\ndir "{home}"\n'
        f"sentinel monitor {MASTER} {HOST} {master} 2\n"
        f"sentinel auth-pass {MASTER} {PASSWORD}\n"
        f"sentinel down-after-milliseconds {MASTER} 1000\n"
        f"sentinel failover-timeout {MASTER} 5000\n"
    )
    with running(["redis-sentinel", str(home / "own.conf")], home / "log"):
        yield port


def asked(port: int, *command: str, password: str | None = None) -> object:
    with redis.Redis(host=HOST, port=port, password=password, decode_responses=True) as client:
        try:
            return client.execute_command(*command)  # type: ignore[no-untyped-call]
        except redis.RedisError:
            return None


def all_is_well(settings: Settings, app: Flask) -> bool:
    """Whether a task is taken, a request counted by all, and readiness content with both."""
    with suppress(Exception):
        TaskQueue(make_celery(settings)).send(TaskName.RECOGNISE, "x", queue="tried")
        counts = FixedWindowRateLimiter(counting_storage(settings))
        assert counts.hit(RateLimitItemPerMinute(1000), "tried")
        app.config["SETTINGS"] = settings
        checks = check_readiness().checks
        return {checks[name].status.value for name in ("broker", "cache")} == {"ok"}
    return False


@pytest.fixture
def other_settings(app: Flask) -> Iterator[Flask]:
    before = app.config["SETTINGS"]
    yield app
    app.config["SETTINGS"] = before


def test_tasks_and_counts_go_on_after_a_failover(tmp_path: Path, other_settings: Flask) -> None:
    first, second = free_port(), free_port()
    with ExitStack() as stack:
        master = stack.enter_context(server(tmp_path, first))
        stack.enter_context(server(tmp_path, second, f"replicaof {HOST} {first}"))
        sentinels = [stack.enter_context(sentinel(tmp_path, first)) for _ in range(3)]
        hosts = ",".join(f"{HOST}:{port}" for port in sentinels)
        url = f"redis+sentinel://:{QUOTED}@{hosts}/{MASTER}/1"
        settings = load_settings(redis_url=url, celery_broker_url=None, cache_url=None)
        for port in sentinels:
            known = ("SENTINEL", "CKQUORUM", MASTER)
            wait_until(
                lambda port=port, known=known: asked(port, *known) is not None, what="a quorum"
            )
            replicas = ("SENTINEL", "REPLICAS", MASTER)
            wait_until(
                lambda port=port, replicas=replicas: bool(asked(port, *replicas)),
                what="a known replica",
            )
        assert all_is_well(settings, other_settings)

        master.kill()

        wait_until(lambda: all_is_well(settings, other_settings), seconds=90, what="a failover")
        with redis.Redis(host=HOST, port=second, password=PASSWORD, db=1) as promoted:
            assert promoted.llen("tried") >= 1


def test_with_tls_all_is_well_and_a_stranger_is_not_believed(
    tmp_path: Path, other_settings: Flask
) -> None:
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=redis"
        " -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem"
    )
    for folder in (tmp_path, tmp_path / "stranger"):
        folder.mkdir(exist_ok=True)
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)  # noqa: S603 - constant
    port = free_port()
    tls = (
        "port 0",
        f"tls-port {port}",
        f"tls-cert-file {tmp_path}/cert.pem",
        f"tls-key-file {tmp_path}/key.pem",
        "tls-auth-clients no",
    )
    with server(tmp_path, port, *tls):
        url = f"rediss://:{QUOTED}@{HOST}:{port}/0?ssl_ca_certs="
        blank = {"celery_broker_url": None, "cache_url": None}
        trusting = load_settings(redis_url=f"{url}{tmp_path}/cert.pem", **blank)
        wait_until(lambda: all_is_well(trusting, other_settings), what="Redis with TLS")

        other_settings.config["SETTINGS"] = load_settings(
            redis_url=f"{url}{tmp_path}/stranger/cert.pem", **blank
        )
        checks = check_readiness().checks
        assert [checks[name].status.value for name in ("broker", "cache")] == ["failed", "failed"]
