from __future__ import annotations

import json
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config import Settings
from app.domain.request_errors import PayloadTooLarge, RateLimited, Unavailable
from app.web.request_context import _SANE_ID
from tests.deploy.backends import Backend, Telling, served
from tests.deploy.problems import is_problem
from tests.deploy.programs import needs
from tests.deploy.proxies import NGINX, Proxy, is_cut_off, nginx
from tests.deploy.websockets import echo
from tests.support.ports import free_port
from tests.support.processes import wait_until

CONF = (NGINX / "facequeue.conf").read_text()
MEBIBYTE = 1024 * 1024
FILES = sorted(NGINX.glob("*.conf"))
ADDED = ("Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options")

pytestmark = [needs("nginx", "openssl"), pytest.mark.xdist_group("nginx")]


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with served(Telling) as backend:
        yield backend


def behind(folder: Path, backend: Backend, **changes: str) -> Proxy:
    """The site before this backend; Flower's port is one where nothing listens."""
    addresses = {
        r"127\.0\.0\.1:8000": backend.address,
        r"127\.0\.0\.1:5555": f"127.0.0.1:{free_port()}",
    }
    return nginx(folder, "one-host.conf", addresses, changes)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, backend: Backend) -> Iterator[Proxy]:
    with behind(tmp_path_factory.mktemp("nginx"), backend).running() as site:
        yield site


@pytest.mark.parametrize("upstreams", ["one-host.conf", "load-balancer.conf"])
def test_nginx_accepts_the_site(upstreams: str, tmp_path: Path) -> None:
    checked = subprocess.run(  # noqa: S603 - our own configuration
        nginx(tmp_path, upstreams, {}).check, capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_gixy_finds_nothing(file: Path) -> None:
    gixy = Path(sys.executable).parent / "gixy"
    checked = subprocess.run([gixy, file], capture_output=True, text=True, check=False)  # noqa: S603 - our own file

    assert checked.returncode == 0, checked.stdout
    assert "No issues found" in checked.stdout


def test_a_body_may_be_as_large_as_an_upload_and_what_surrounds_it() -> None:
    (limit,) = re.findall(r"client_max_body_size (\d+)m;", CONF)
    upload = Settings.model_fields["max_upload_size"].default

    assert upload < int(limit) * MEBIBYTE <= upload + MEBIBYTE


def test_nginx_s_own_numbers_are_at_an_address_of_this_host_alone(site: Proxy) -> None:
    (address,) = re.findall(
        r"listen (127\.0\.0\.1:\d+);", (site.folder / "status.conf").read_text()
    )

    assert "Active connections: " in site.session.get(f"http://{address}/stub_status").text
    assert site.session.get(f"http://{address}/").status_code == 404
    assert "Active connections" not in site.ask("/stub_status").text


def test_plain_http_is_sent_to_https(site: Proxy) -> None:
    answer = site.ask_plainly("/api/v1/jobs?limit=1")

    assert answer.status_code == 308
    assert answer.headers["Location"] == "https://127.0.0.1/api/v1/jobs?limit=1"


def test_a_certificate_s_challenge_is_answered_over_plain_http(site: Proxy) -> None:
    place = site.folder / "acme/.well-known/acme-challenge"
    place.mkdir(parents=True)
    (place / "token").write_text("what the authority wants to read")

    answer = site.ask_plainly("/.well-known/acme-challenge/token")

    assert (answer.status_code, answer.text) == (200, "what the authority wants to read")


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_today_s_versions_of_tls_are_spoken(version: str, site: Proxy) -> None:
    context = site.context()
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]

    with site.connect(context) as connection:
        assert connection.version() == version.replace("_", ".")


def test_older_versions_of_tls_are_refused(site: Proxy) -> None:
    context = site.context()
    context.set_ciphers("ALL:@SECLEVEL=0")  # else this side refuses
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1

    with pytest.raises(ssl.SSLError), site.connect(context):
        pass


def test_a_tls_session_is_taken_up_again(site: Proxy) -> None:
    context = site.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with site.connect(context) as first:
        session = first.session

    with site.connect(context, session=session) as second:
        assert second.session_reused


def test_the_api_hears_the_caller_s_address_and_not_its_claim(site: Proxy) -> None:
    heard = site.ask("/api/v1/jobs", headers={"X-Forwarded-For": "8.8.8.8"}).json()["headers"]

    assert (heard["X-Forwarded-For"], heard["X-Forwarded-Proto"]) == ("127.0.0.1", "https")


@pytest.mark.parametrize("header", ADDED)
def test_each_answer_has_a_header_once_though_the_api_sets_it_too(header: str, site: Proxy) -> None:
    values = site.ask("/api/v1/jobs").raw.headers.getlist(header)

    assert len(values) == 1
    assert values != ["of the API"]


@pytest.mark.parametrize(
    ("path", "policy"),
    [
        ("/api/v1/jobs", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
        ("/api/v1/docs", "its own"),
    ],
)
def test_a_page_has_one_policy_its_own_before_the_site_s(
    path: str, policy: str, site: Proxy
) -> None:
    assert site.ask(path).raw.headers.getlist("Content-Security-Policy") == [policy]


def test_a_client_s_id_of_a_request_is_kept(site: Proxy) -> None:
    answer = site.ask("/api/v1/jobs", headers={"X-Request-Id": "order-4711"})

    assert answer.json()["headers"]["X-Request-Id"] == "order-4711"
    assert answer.raw.headers.getlist("X-Request-Id") == ["order-4711"]


@pytest.mark.parametrize("claimed", ["short", 'a"quoted"id', "x" * 129])
def test_an_id_that_the_api_would_not_take_is_replaced(claimed: str, site: Proxy) -> None:
    answer = site.ask("/api/v1/jobs", headers={"X-Request-Id": claimed})

    assert answer.headers["X-Request-Id"] != claimed
    assert _SANE_ID.fullmatch(answer.json()["headers"]["X-Request-Id"])
    assert f"^{_SANE_ID.pattern}$" in CONF


def test_a_body_that_is_too_large_is_answered_with_the_api_s_problem(site: Proxy) -> None:
    answer = site.ask("/api/v1/images", "POST", data=b"x" * 12 * MEBIBYTE)

    assert is_problem(answer, PayloadTooLarge)


def test_an_api_that_is_away_is_answered_with_the_api_s_problem(site: Proxy) -> None:
    answer = site.ask("/flower/", auth=("operator", "let-me-in"))  # nothing runs at its port

    assert is_problem(answer, Unavailable)
    assert answer.headers["Retry-After"] == "5"
    assert set(ADDED) <= set(answer.headers)


def test_flower_asks_for_a_password(site: Proxy) -> None:
    assert site.ask("/flower/").status_code == 401


def test_a_websocket_passes(site: Proxy) -> None:
    assert echo(site, "/ws/jobs", b"hello") == (101, b"hello")


def test_elsewhere_the_protocol_stays(site: Proxy) -> None:
    assert echo(site, "/api/v1/jobs", b"hello") == (200, b"")


def test_files_of_the_docs_page_are_kept_for_as_long_as_the_api_says(
    site: Proxy, backend: Backend
) -> None:
    path = "/api/v1/docs/assets/swagger-ui.css"
    first, again = site.ask(path), site.ask(path)

    assert backend.seen.count(f"GET {path}") == 1
    assert first.text == again.text
    assert first.headers["X-Request-Id"] != again.headers["X-Request-Id"]


@pytest.mark.parametrize("path", ["/metrics", "/health/ready/"])
def test_the_inside_is_told_to_this_host_only(path: str, site: Proxy) -> None:
    (block,) = re.findall(r"location ~ \^/\(metrics.*?\}", CONF, re.DOTALL)

    assert site.ask(path).status_code == 200
    assert re.findall(r"^ +(allow|deny) (\S+);", block, re.MULTILINE) == [
        ("allow", "127.0.0.1"),
        ("allow", "::1"),
        ("deny", "all"),
    ]


def test_the_access_log_has_no_queries(site: Proxy) -> None:
    site.ask("/api/v1/subjects?external_id=jane.doe", headers={"X-Request-Id": "looks-for-jane"})

    log = site.folder / "access.log"
    wait_until(lambda: "looks-for-jane" in log.read_text(), what="the line of the request")
    (line,) = (line for line in log.read_text().splitlines() if "looks-for-jane" in line)
    assert json.loads(line)["path"] == "/api/v1/subjects"
    assert "jane.doe" not in line


def test_no_answer_tells_nginx_version(site: Proxy) -> None:
    refused = site.ask("/flower/")

    for answer in (site.ask("/api/v1/jobs"), site.ask_plainly("/"), refused):
        assert answer.headers["Server"] == "nginx"
    assert not re.search(r"nginx/\d", refused.text)


@pytest.mark.parametrize(
    "sent", [b"GET / HT", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nhalf"]
)
def test_a_client_that_stops_sending_is_cut_off(
    sent: bytes, tmp_path: Path, backend: Backend
) -> None:
    quick = {r"client_(header|body)_timeout \d+s;": r"client_\1_timeout 1s;"}
    with behind(tmp_path, backend, **quick).running() as site, site.connect() as connection:
        connection.sendall(sent)

        assert is_cut_off(connection)


def test_a_flood_is_answered_with_the_api_s_problem(tmp_path: Path, backend: Backend) -> None:
    # A machine that is busy with other tests does not reach 50 calls a second.
    with behind(tmp_path, backend, **{"rate=50r/s": "rate=1r/s"}).running() as site:
        answers = (site.ask("/health/") for _ in range(500))
        refused = next(answer for answer in answers if answer.status_code == RateLimited.status)

    assert is_problem(refused, RateLimited)
    assert refused.headers["Retry-After"] == "1"
    assert set(ADDED) <= set(refused.headers)
