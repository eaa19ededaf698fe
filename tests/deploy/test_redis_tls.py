"""FaceQueue and a Redis that speaks TLS alone, demands a certificate, and has a CA of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests

from app import create_app
from app.config import load_settings
from scripts.stack.programs import Program
from scripts.stack.state import State
from tests.deploy.programs import needs
from tests.deploy.redis_servers import HOST, QUOTED, Server, server
from tests.support.ports import free_port
from tests.support.processes import Processes, processes, wait_until
from tests.support.served_api import started_api

pytestmark = [needs("redis-server", "openssl"), pytest.mark.xdist_group("redis"), pytest.mark.slow]

_KEY = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
_SIGN = "openssl x509 -req -copy_extensions copy -days 1"
_CERTIFICATES = (
    f"{_KEY} -x509 -days 1 -subj /CN=ours -keyout ca.key -out ca.pem",
    f"{_KEY} -x509 -days 1 -subj /CN=theirs -keyout stranger.key -out stranger.pem",
    f"{_KEY} -subj /CN=redis -addext subjectAltName=IP:127.0.0.1 -keyout own.key -out own.csr",
    f"{_SIGN} -in own.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out own.pem",
)


@dataclass(frozen=True)
class Secured:
    """The Redis, and the folder with `ca.pem`, which signed `own.pem`, and `stranger.pem`."""

    redis: Server
    folder: Path

    def url(self, ca: str = "ca.pem", *, own: bool = True) -> str:
        """Its address for whoever believes `ca`, with or without a certificate of their own."""
        files = f"&ssl_certfile={self.folder}/own.pem&ssl_keyfile={self.folder}/own.key"
        address = f"rediss://:{QUOTED}@{HOST}:{self.redis.port}/1"
        return f"{address}?ssl_ca_certs={self.folder}/{ca}{files if own else ''}"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("tls")
    for command in _CERTIFICATES:
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)  # noqa: S603 - constant
    port = free_port()
    lines = (
        "port 0",
        f"tls-port {port}",
        f'tls-cert-file "{folder}/own.pem"',
        f'tls-key-file "{folder}/own.key"',
        f'tls-ca-cert-file "{folder}/ca.pem"',
        "tls-auth-clients yes",
    )
    files = {
        "ssl": True,
        "ssl_ca_certs": f"{folder}/ca.pem",
        "ssl_certfile": f"{folder}/own.pem",
        "ssl_keyfile": f"{folder}/own.key",
    }
    with server(folder, port, *lines, files=files) as redis:
        yield Secured(redis, folder)


@pytest.fixture(scope="module")
def sited(
    secured: Secured,
    services: State,
    stack_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Processes]:
    """FaceQueue's programs, none of them started, that know this Redis alone."""
    # An empty variable is one that is not set.
    own = {"REDIS_URL": secured.url(), "CELERY_BROKER_URL": "", "CACHE_URL": ""}
    logs = tmp_path_factory.mktemp("logs")
    with processes(services, stack_environment | own, logs) as started:
        port = free_port()
        started.programs = _with_others(started.programs, port, secured)
        yield started


def _with_others(
    programs: Mapping[str, Program], flower: int, secured: Secured
) -> Mapping[str, Program]:
    """Flower at a port of its own, and a worker that trusts another CA."""
    at = tuple(
        f"--port={flower}" if w.startswith("--port") else w for w in programs["flower"].command
    )
    deceived = {"CELERY_BROKER_URL": secured.url("stranger.pem")}
    worker = programs["webhooks"]
    return {
        **programs,
        "flower": replace(programs["flower"], command=at),
        "deceived": replace(worker, environment={**worker.environment, **deceived}),
    }


def test_api_worker_and_flower_meet_over_tls(sited: Processes, secured: Secured) -> None:
    sited.ensure("webhooks", "flower", "deceived")
    with started_api(sited, "api-over-tls") as api:
        url = f"http://{api.address}"
        checks = requests.get(f"{url}/health/ready/", timeout=20).json()["checks"]
        assert {checks[name]["status"] for name in ("broker", "cache")} == {"ok"}
        refused = requests.get(
            f"{url}/api/v1/me", headers={"Authorization": "Bearer none"}, timeout=20
        )
        assert refused.status_code == 401
    with secured.redis.client(1) as redis:
        assert redis.keys("LIMITS*")
    wait_until(lambda: _says(sited, "webhooks", " ready."), seconds=60, what="a worker")
    wait_until(lambda: _flower_knows(sited, "webhooks@"), seconds=60, what="Flower's worker")


def test_a_worker_that_trusts_another_ca_says_so_and_gets_nothing(sited: Processes) -> None:
    sited.ensure("deceived")
    wait_until(
        lambda: _says(sited, "deceived", "CERTIFICATE_VERIFY_FAILED"), seconds=60, what="the error"
    )
    assert not _says(sited, "deceived", " ready.")


def _details(url: str) -> set[str]:
    """What readiness says of a broker and of counters at this address, without its last words."""
    settings = load_settings(redis_url=url, celery_broker_url=None, cache_url=None)
    checks = create_app(settings).test_client().get("/health/ready/").get_json()["checks"]
    assert {checks[name]["status"] for name in ("broker", "cache")} == {"failed"}
    return {checks[name]["detail"].partition(";")[0] for name in ("broker", "cache")}


@pytest.mark.usefixtures("app")
def test_readiness_says_what_is_wrong(secured: Secured, services: State) -> None:
    wrong = "shows a certificate that is not to be trusted: see ssl_ca_certs of its address"
    assert _details(secured.url("stranger.pem")) == {f"the broker {wrong}", f"Redis {wrong}"}

    wrong = "refuses the password"
    url = secured.url()
    assert _details(url.replace(QUOTED, "x")) == {f"the broker {wrong}", f"Redis {wrong}"}

    wrong = "does not answer"  # one without TLS waits for the rest of a line
    url = url.replace(f":{secured.redis.port}/", f":{services.ports['redis']}/")
    assert _details(url) == {f"the broker {wrong}", f"Redis {wrong}"}


@pytest.mark.usefixtures("app")
def test_without_the_certificate_that_redis_demands_there_is_no_way_in(secured: Secured) -> None:
    assert _details(secured.url(own=False))


def _says(sited: Processes, name: str, words: str) -> bool:
    log = sited.log(name)
    return log.exists() and words in log.read_text(errors="replace")


def _flower_knows(sited: Processes, worker: str) -> bool:
    port = sited.programs["flower"].command[-1].partition("=")[2]
    user, _, password = sited.programs["flower"].environment["FLOWER_BASIC_AUTH"].partition(":")
    try:
        answer = requests.get(
            f"http://{HOST}:{port}/api/workers", auth=(user, password), timeout=10
        )
        queues = requests.get(f"http://{HOST}:{port}/broker", auth=(user, password), timeout=10)
    except requests.RequestException:
        return False
    return answer.ok and worker in answer.text and "webhooks" in queues.text
