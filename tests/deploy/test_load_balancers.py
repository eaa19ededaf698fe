from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from app.domain.request_errors import PayloadTooLarge, Unavailable
from tests.deploy.backends import Backend, Dying, Telling, served
from tests.deploy.balancers import BALANCERS, Build
from tests.deploy.problems import is_problem
from tests.deploy.programs import needs
from tests.deploy.websockets import echo
from tests.support.ports import free_port
from tests.support.processes import Processes, wait_until
from tests.support.served_api import ServedApi, started_api

MEBIBYTE = 1024 * 1024

pytestmark = [
    needs("nginx", "haproxy", "openssl"),
    pytest.mark.stack,
    pytest.mark.xdist_group("load-balancers"),
]


@dataclass
class Apis:
    """Three API processes of gunicorn, each with a log of its own."""

    all: list[ServedApi]

    @property
    def hosts(self) -> list[str]:
        return [api.address for api in self.all]

    def counts(self, mark: str) -> list[int]:
        """How many requests with this mark each of them answered."""
        return [api.log.read_text().count(mark) for api in self.all]


@dataclass(frozen=True)
class Announced:
    """A body whose length is told, and of which nothing is sent: as with Expect: 100-continue."""

    size: int

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[bytes]:
        return iter(())


@pytest.fixture(scope="module")
def _apis(programs: Processes) -> Iterator[list[ServedApi]]:
    with ExitStack() as stack:
        yield [stack.enter_context(started_api(programs, f"balanced-{n}")) for n in range(3)]


@pytest.fixture
def apis(_apis: list[ServedApi]) -> Apis:
    return Apis(_apis)


@pytest.fixture
def backends() -> Iterator[list[Backend]]:
    """One that cuts off each request, and two that answer."""
    with served(Dying) as dying, served(Telling) as one, served(Telling) as other:
        yield [dying, one, other]


@pytest.fixture(params=BALANCERS)
def build(request: pytest.FixtureRequest) -> Build:
    return request.param  # type: ignore[no-any-return]  # pytest's parameters have no type


def hosts(backends: list[Backend]) -> list[str]:
    return [backend.address for backend in backends]


def mark() -> str:
    return f"mark-{uuid4().hex}"


def test_the_configuration_is_accepted(build: Build, tmp_path: Path) -> None:
    nowhere = [f"127.0.0.1:{free_port()}" for _ in range(3)]
    checked = subprocess.run(  # noqa: S603 - our own configuration
        build(tmp_path, nowhere).check, capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr.lower()


def test_requests_are_spread_over_all_apis(build: Build, apis: Apis, tmp_path: Path) -> None:
    spread = mark()
    with build(tmp_path, apis.hosts).running() as proxy:
        for _ in range(30):
            assert proxy.ask("/health/", headers={"X-Request-Id": spread}).status_code == 200

    assert sum(apis.counts(spread)) == 30
    assert min(apis.counts(spread)) >= 5


def test_an_api_that_is_killed_costs_no_request_that_may_be_repeated(
    build: Build, programs: Processes, apis: Apis, tmp_path: Path
) -> None:
    with started_api(programs, "killed") as victim:
        others = apis.hosts[1:]
        with build(tmp_path, [victim.address, *others]).running() as proxy:
            early = {"X-Request-Id": mark()}
            wait_until(
                lambda: (
                    proxy.ask("/health/", headers=early).ok
                    and early["X-Request-Id"] in victim.log.read_text()
                ),
                what="an answer of the API that will be killed",
            )

            def ask(number: int) -> int:
                if number == 60:
                    os.killpg(victim.process.pid, signal.SIGKILL)
                return proxy.ask("/health/").status_code

            with ThreadPoolExecutor(4) as clients:
                answers = list(clients.map(ask, range(200)))
    assert answers == [200] * 200


def test_what_an_api_cut_off_is_asked_of_another(
    build: Build, backends: list[Backend], tmp_path: Path
) -> None:
    dying, *_ = backends
    with build(tmp_path, hosts(backends)).running() as proxy:
        answers = [proxy.ask("/api/v1/jobs").status_code for _ in range(6)]

    assert dying.seen
    assert answers == [200] * 6


def test_a_post_that_an_api_cut_off_is_sent_to_no_other(build: Build, tmp_path: Path) -> None:
    with served(Dying) as one, served(Dying) as two, served(Dying) as three:
        with build(tmp_path, hosts([one, two, three])).running() as proxy:
            answer = proxy.ask("/api/v1/jobs", "POST", json={})

        assert one.seen + two.seen + three.seen == ["POST /api/v1/jobs"]
    assert is_problem(answer, Unavailable)


def test_a_post_goes_to_another_api_while_it_was_not_sent(
    build: Build, backends: list[Backend], tmp_path: Path
) -> None:
    _, one, other = backends
    away = f"127.0.0.1:{free_port()}"
    with build(tmp_path, [away, one.address, other.address]).running() as proxy:
        answers = [proxy.ask("/api/v1/jobs", "POST", json={}).status_code for _ in range(6)]

    assert answers == [200] * 6
    assert len(one.seen + other.seen) >= 6  # HAProxy asks for their health, too


def test_apis_that_are_all_away_are_answered_with_the_api_s_problem(
    build: Build, tmp_path: Path
) -> None:
    with build(tmp_path, [f"127.0.0.1:{free_port()}" for _ in range(3)]).running() as proxy:
        answer = proxy.ask("/api/v1/jobs")

    assert is_problem(answer, Unavailable)
    assert answer.headers["Retry-After"] == "5"


def test_a_body_that_is_too_large_is_answered_with_the_api_s_problem(
    build: Build, apis: Apis, tmp_path: Path
) -> None:
    with build(tmp_path, apis.hosts).running() as proxy:
        answer = proxy.ask("/api/v1/images", "POST", data=Announced(12 * MEBIBYTE))

    assert is_problem(answer, PayloadTooLarge)


def test_a_client_s_websockets_go_to_one_api(
    build: Build, backends: list[Backend], tmp_path: Path
) -> None:
    with served(Telling) as third:
        all_well = [*backends[1:], third]
        with build(tmp_path, hosts(all_well)).running() as proxy:
            answers = [echo(proxy, "/ws/jobs", b"hello") for _ in range(6)]

        taken = [backend.seen.count("GET /ws/jobs") for backend in all_well]
    assert answers == [(101, b"hello")] * 6
    assert sorted(taken) == [0, 0, 6]


def test_packed_json_keeps_the_etag_that_if_match_needs(
    build: Build, apis: Apis, tmp_path: Path
) -> None:
    with build(tmp_path, apis.hosts).running() as proxy:
        answer = proxy.ask("/api/v1/openapi.json", headers={"Accept-Encoding": "gzip"})

    assert answer.headers["Content-Encoding"] == "gzip"
    assert not answer.headers.get("ETag", "").startswith("W/")
