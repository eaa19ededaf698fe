from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import requests

from app.config import Settings
from app.domain.request_errors import NotFound, RateLimited
from app.web.request_context import _SANE_ID
from tests.deploy.backends import Backend, Telling, served
from tests.deploy.balancers import HAPROXY, haproxy
from tests.deploy.problems import is_problem
from tests.deploy.programs import needs
from tests.deploy.proxies import Proxy, is_cut_off
from tests.deploy.websockets import echo
from tests.support.processes import wait_until

MEBIBYTE = 1024 * 1024

pytestmark = [needs("haproxy", "openssl"), pytest.mark.xdist_group("haproxy")]


class Unready(Telling):
    """Says that it cannot serve, and would answer all the same."""

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        if self.path != "/health/ready/":
            super().do_GET()
            return
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with served(Telling) as backend:
        yield backend


def before(folder: Path, backend: Backend, changes: Mapping[str, str] | None = None) -> Proxy:
    return haproxy(folder, [backend.address] * 3, changes)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, backend: Backend) -> Iterator[Proxy]:
    with before(tmp_path_factory.mktemp("haproxy"), backend).running() as proxy:
        yield proxy


def test_a_body_may_be_as_large_as_an_upload_and_what_surrounds_it() -> None:
    (limit,) = re.findall(r"req\.body_size gt (\d+)", HAPROXY)
    upload = Settings.model_fields["max_upload_size"].default

    assert upload < int(limit) <= upload + MEBIBYTE


def test_plain_http_is_sent_to_https(proxy: Proxy) -> None:
    answer = proxy.ask_plainly("/api/v1/jobs?limit=1")

    assert answer.status_code == 308
    assert answer.headers["Location"].endswith("/api/v1/jobs?limit=1")
    assert answer.headers["Location"].startswith("https://")


def test_older_versions_of_tls_are_refused(proxy: Proxy) -> None:
    context = proxy.context()
    context.set_ciphers("ALL:@SECLEVEL=0")  # else this side refuses
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1

    with pytest.raises(ssl.SSLError), proxy.connect(context):
        pass


def test_an_api_that_is_not_ready_is_left_out(tmp_path: Path, backend: Backend) -> None:
    with served(Unready) as unready:
        hosts = [unready.address, backend.address, backend.address]
        with haproxy(tmp_path, hosts, {"inter 3s fall 2": "inter 200 fall 2"}).running() as proxy:
            log = proxy.folder / "output.log"
            wait_until(lambda: "facequeue_api/api1 is DOWN" in log.read_text())
            reached = len(unready.seen)
            answers = [proxy.ask("/api/v1/jobs").status_code for _ in range(12)]

        assert answers == [200] * 12
        assert len(unready.seen) == reached


def test_the_api_hears_the_caller_s_address_and_not_its_claim(proxy: Proxy) -> None:
    heard = proxy.ask("/api/v1/jobs", headers={"X-Forwarded-For": "8.8.8.8"}).json()["headers"]

    # http.server's names are as they came; HAProxy writes them small.
    heard = {name.lower(): value for name, value in heard.items()}
    assert (heard["x-forwarded-for"], heard["x-forwarded-proto"]) == ("127.0.0.1", "https")


@pytest.mark.parametrize(
    "header", ["Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options"]
)
def test_each_answer_has_a_header_once_though_the_api_sets_it_too(
    header: str, proxy: Proxy
) -> None:
    values = proxy.ask("/api/v1/jobs").raw.headers.getlist(header)

    assert len(values) == 1
    assert values != ["of the API"]


@pytest.mark.parametrize(
    ("path", "policy"),
    [
        ("/api/v1/jobs", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
        ("/api/v1/docs", "its own"),
    ],
)
def test_a_page_has_one_policy_its_own_before_the_proxy_s(
    path: str, policy: str, proxy: Proxy
) -> None:
    assert proxy.ask(path).raw.headers.getlist("Content-Security-Policy") == [policy]


@pytest.mark.parametrize(
    ("claimed", "kept"), [("order-4711", True), ("short", False), ('a"quoted"id', False)]
)
def test_a_client_s_id_of_a_request_is_kept_where_the_api_would_take_it(
    claimed: str, kept: bool, proxy: Proxy
) -> None:
    answer = proxy.ask("/api/v1/jobs", headers={"X-Request-Id": claimed})

    assert (answer.headers["X-Request-Id"] == claimed) is kept
    assert _SANE_ID.fullmatch(answer.headers["X-Request-Id"])


@pytest.mark.parametrize(
    "path", ["/metrics", "/%6detrics", "//metrics", "/health/ready/", "/health//ready/"]
)
def test_the_inside_is_told_to_listed_addresses_only(
    path: str, tmp_path: Path, backend: Backend, proxy: Proxy
) -> None:
    others = {r"may_see_inside src 127\.0\.0\.1 ::1": "may_see_inside src 10.0.0.5"}
    with before(tmp_path, backend, others).running() as strict:
        refused = raw_get(strict, path)

    assert is_problem(refused, NotFound)
    assert raw_get(proxy, path).status_code == 200


def raw_get(proxy: Proxy, path: str) -> requests.Response:
    """Ask for a path as it is: requests would tidy it up."""
    prepared = requests.Request("GET", f"https://127.0.0.1:{proxy.https}/").prepare()
    prepared.url = f"https://127.0.0.1:{proxy.https}{path}"
    return proxy.session.send(
        prepared, timeout=30, allow_redirects=False, verify=proxy.session.verify
    )


def test_elsewhere_than_at_ws_the_protocol_stays(proxy: Proxy) -> None:
    assert echo(proxy, "/api/v1/jobs", b"hello") == (200, b"")


def test_the_log_has_no_queries(proxy: Proxy) -> None:
    proxy.ask("/api/v1/subjects?external_id=jane.doe", headers={"X-Request-Id": "looks-for-jane"})

    log = proxy.folder / "output.log"
    wait_until(lambda: "looks-for-jane" in log.read_text(), what="the line of the request")
    (line,) = (line for line in log.read_text().splitlines() if "looks-for-jane" in line)
    assert json.loads(line)["path"] == "/api/v1/subjects"
    assert "jane.doe" not in line


@pytest.mark.parametrize("sent", [b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\n"])
def test_a_client_that_stops_sending_is_cut_off(
    sent: bytes, tmp_path: Path, backend: Backend
) -> None:
    quick = {r"timeout http-request 15s": "timeout http-request 1s"}
    with before(tmp_path, backend, quick).running() as proxy, proxy.connect() as connection:
        connection.sendall(sent)

        assert is_cut_off(connection)


def test_a_flood_is_answered_with_the_api_s_problem(tmp_path: Path, backend: Backend) -> None:
    # A machine that is busy with other tests does not reach 70 calls a second.
    few = {r"sc_http_req_rate\(0\) gt 700": "sc_http_req_rate(0) gt 5"}
    with before(tmp_path, backend, few).running() as proxy:
        answers = (proxy.ask("/health/") for _ in range(500))
        refused = next(answer for answer in answers if answer.status_code == RateLimited.status)

    assert is_problem(refused, RateLimited)
    assert refused.headers["Retry-After"] == "10"
    assert refused.headers["Strict-Transport-Security"]
