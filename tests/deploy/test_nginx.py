from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask, g

from app.config import Settings
from app.domain.request_errors import (
    PayloadTooLarge,
    RateLimited,
    RequestError,
    Unavailable,
)
from app.web.problems import Problem
from tests.deploy.programs import needs

CONF = Path(__file__).parents[2] / "deploy/nginx/facequeue.conf"
MEBIBYTE = 1024 * 1024

pytestmark = [
    needs("nginx", "openssl"),
    # One process: the flood uses up what the rate limit allows, so it must come last.
    pytest.mark.xdist_group("nginx"),
]


class Upstream(BaseHTTPRequestHandler):
    """An API that answers each request with its own path."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{self.path} {self.headers['X-Forwarded-For']}".encode())

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_problem(answer: requests.Response, kind: type[RequestError]) -> bool:
    """Whether nginx answered with the document that the API would have written."""
    with Flask(__name__).test_request_context():
        g.request_id = answer.json()["request_id"]
        expected = Problem.of(kind(answer.json()["detail"])).response()
    return (answer.status_code, answer.headers["Content-Type"], answer.json()) == (
        expected.status_code,
        expected.content_type,
        expected.get_json(),
    )


class Site:
    """The site's configuration, on this machine's free ports and with a certificate of its own."""

    def __init__(self, folder: Path) -> None:
        self.http, self.https, self.api = free_port(), free_port(), free_port()
        self._folder = folder
        make_certificate(folder)
        self._session = requests.Session()
        self._session.trust_env = False  # a CA bundle or proxy of this machine has no say here
        self._session.verify = f"{folder}/fullchain.pem"
        (folder / "htpasswd").write_text("operator:{PLAIN}let-me-in\n")
        (folder / "site.conf").write_text(self._adapted(CONF.read_text()))
        (folder / "nginx.conf").write_text(
            # Workers must be able to read the folder, which is this user's alone.
            f"{'user root;' if os.geteuid() == 0 else ''}\n"
            f"pid {folder}/pid;\nerror_log {folder}/error.log;\ndaemon off;\n"
            "events {}\n"
            "http {\n"
            "  access_log off;\n"
            f"  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;\n"
            f"  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;\n"
            f"  scgi_temp_path {folder}/scgi;\n"
            f"  include {folder}/site.conf;\n"
            "}\n"
        )

    def command(self, *more: str) -> list[str]:
        return ["nginx", "-p", str(self._folder), "-c", f"{self._folder}/nginx.conf", *more]

    def ask(self, path: str, method: str = "GET", **arguments: Any) -> requests.Response:
        return self._ask(f"https://127.0.0.1:{self.https}{path}", method, **arguments)

    def ask_plainly(self, path: str) -> requests.Response:
        return self._ask(f"http://127.0.0.1:{self.http}{path}", "GET")

    def _ask(self, url: str, method: str, **arguments: Any) -> requests.Response:
        return self._session.request(method, url, timeout=10, allow_redirects=False, **arguments)

    def _adapted(self, text: str) -> str:
        text = re.sub(r"listen \[::\]:.*\n", "", text)
        text = text.replace("listen 80;", f"listen 127.0.0.1:{self.http};")
        text = text.replace("listen 443 ", f"listen 127.0.0.1:{self.https} ")
        text = text.replace("127.0.0.1:8000", f"127.0.0.1:{self.api}")
        # A machine that is busy with other tests does not reach 50 calls a second.
        text = text.replace("rate=50r/s", "rate=1r/s")
        text = text.replace("127.0.0.1:5555", f"127.0.0.1:{free_port()}")
        text = text.replace("/etc/ssl/facequeue/", f"{self._folder}/")
        return text.replace("/etc/nginx/facequeue.htpasswd", f"{self._folder}/htpasswd")


def make_certificate(folder: Path) -> None:
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=facequeue"
        " -addext subjectAltName=IP:127.0.0.1 -keyout privkey.pem -out fullchain.pem"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)  # noqa: S603 - constant


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    pytest.fail("nginx did not start")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """nginx, running this site in front of an upstream that answers."""
    site = Site(tmp_path_factory.mktemp("nginx"))
    upstream = ThreadingHTTPServer(("127.0.0.1", site.api), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    with subprocess.Popen(site.command()) as nginx:  # noqa: S603 - our own configuration
        wait_for(site.https)
        yield site
        nginx.terminate()
    upstream.shutdown()
    upstream.server_close()


def test_nginx_accepts_the_site(tmp_path: Path) -> None:
    checked = subprocess.run(  # noqa: S603 - our own configuration
        Site(tmp_path).command("-t"), capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr


def test_a_body_may_be_as_large_as_an_upload_and_what_surrounds_it() -> None:
    (limit,) = re.findall(r"client_max_body_size (\d+)m;", CONF.read_text())
    upload = Settings.model_fields["max_upload_size"].default

    assert upload < int(limit) * MEBIBYTE <= upload + MEBIBYTE


def test_plain_http_is_sent_to_https(site: Site) -> None:
    answer = site.ask_plainly("/api/v1/jobs")

    assert answer.status_code == 308
    assert answer.headers["Location"] == "https://127.0.0.1/api/v1/jobs"


def test_the_api_hears_the_caller_s_address_and_not_its_claim(site: Site) -> None:
    answer = site.ask("/api/v1/jobs", headers={"X-Forwarded-For": "8.8.8.8"})

    assert answer.text == "/api/v1/jobs 127.0.0.1"


def test_a_body_that_is_too_large_is_answered_with_the_api_s_problem(site: Site) -> None:
    answer = site.ask("/api/v1/images", "POST", data=b"x" * 12 * MEBIBYTE)

    assert is_problem(answer, PayloadTooLarge)


def test_an_api_that_is_away_is_answered_with_the_api_s_problem(site: Site) -> None:
    answer = site.ask("/flower/", auth=("operator", "let-me-in"))  # nothing runs at its port

    assert is_problem(answer, Unavailable)
    assert answer.headers["Retry-After"] == "5"


def test_flower_asks_for_a_password(site: Site) -> None:
    assert site.ask("/flower/").status_code == 401


@pytest.mark.parametrize("path", ["/metrics", "/health/ready/"])
def test_the_inside_is_told_to_this_host_only(path: str, site: Site) -> None:
    (block,) = re.findall(r"location ~ \^/\(metrics.*?\}", CONF.read_text(), re.DOTALL)

    assert site.ask(path).status_code == 200
    assert re.findall(r"^ +(allow|deny) (\S+);", block, re.MULTILINE) == [
        ("allow", "127.0.0.1"),
        ("allow", "::1"),
        ("deny", "all"),
    ]


def test_a_flood_is_answered_with_the_api_s_problem(site: Site) -> None:
    answers = (site.ask("/health/") for _ in range(500))
    refused = next(answer for answer in answers if answer.status_code == RateLimited.status)

    assert is_problem(refused, RateLimited)
    assert refused.headers["Retry-After"] == "1"
