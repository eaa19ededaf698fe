"""Proxies of deploy/, run with their own configuration at free ports of this machine."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from scripts.stack.state import ROOT
from tests.support.ports import free_port
from tests.support.processes import wait_until

NGINX = ROOT / "deploy/nginx"


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def is_cut_off(connection: ssl.SSLSocket) -> bool:
    """Whether the other side ends a connection, within the time that a read may take."""
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:  # a connection that is reset is cut off, too
        return True
    return True


@dataclass
class Proxy:
    """A proxy's command, and what a client says to it. `folder` holds all its files."""

    folder: Path
    command: tuple[str, ...]
    check: tuple[str, ...]
    https: int
    http: int
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False  # a CA bundle or proxy of this machine has no say here
        self.session.verify = str(self.folder / "tls/fullchain.pem")

    def ask(self, path: str, method: str = "GET", **arguments: Any) -> requests.Response:
        return self._ask(f"https://127.0.0.1:{self.https}{path}", method, **arguments)

    def ask_plainly(self, path: str) -> requests.Response:
        return self._ask(f"http://127.0.0.1:{self.http}{path}", "GET")

    def _ask(self, url: str, method: str, **arguments: Any) -> requests.Response:
        return self.session.request(
            method, url, **{"timeout": 30, "allow_redirects": False, **arguments}
        )

    def connect(self, context: ssl.SSLContext | None = None, **more: Any) -> ssl.SSLSocket:
        """A TLS connection, for what is no ordinary request."""
        context = context or self.context()
        raw = socket.create_connection(("127.0.0.1", self.https), timeout=30)
        return context.wrap_socket(raw, server_hostname="127.0.0.1", **more)

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.session.verify))

    def _has_started(self, process: subprocess.Popen[bytes]) -> bool:
        assert process.poll() is None, (self.folder / "output.log").read_text()
        return is_open(self.https)

    @contextmanager
    def running(self) -> Iterator[Proxy]:
        """The proxy, until the block ends."""
        with (
            (self.folder / "output.log").open("ab") as log,
            subprocess.Popen(self.command, stdout=log, stderr=log) as process,  # noqa: S603 - ours
        ):
            try:
                wait_until(lambda: self._has_started(process), what="the proxy's start")
                yield self
            finally:
                process.terminate()


def make_certificate(folder: Path, *names: str) -> None:
    command = (str(ROOT / "scripts/self_signed.sh"), "--out", str(folder), *names)
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own script


def replaced(text: str, replacements: Mapping[str, str]) -> str:
    """A text, in which each pattern was found: a test must not miss what it wants to change."""
    for pattern, replacement in replacements.items():
        text, count = re.subn(pattern, replacement, text)
        assert count, f"nothing to replace: {pattern}"
    return text


def nginx(
    folder: Path,
    upstreams: str,
    addresses: Mapping[str, str],
    changes: Mapping[str, str] | None = None,
) -> Proxy:
    """The site with one of the files that say where FaceQueue is.

    `addresses` replaces those of that file, `changes` (patterns) what else a test needs otherwise.
    """
    http, https = free_port(), free_port()
    make_certificate(folder / "tls", "127.0.0.1")
    (folder / "htpasswd").write_text("operator:{PLAIN}let-me-in\n")
    site = replaced(
        (NGINX / "facequeue.conf").read_text(),
        {
            r"listen \[::\]:.*\n": "",
            r"listen 80;": f"listen 127.0.0.1:{http};",
            r"listen 443 ": f"listen 127.0.0.1:{https} ",
            r"/etc/ssl/facequeue/": f"{folder}/tls/",
            r"/etc/nginx/facequeue.htpasswd": f"{folder}/htpasswd",
            r"/var/cache/facequeue-static": f"{folder}/static",
            r"/var/www/facequeue-acme": f"{folder}/acme",
            r"/var/log/nginx/facequeue.log": f"{folder}/access.log",
            **(changes or {}),
        },
    )
    (folder / "site.conf").write_text(site)
    status = replaced((NGINX / "status.conf").read_text(), {r":8099;": f":{free_port()};"})
    (folder / "status.conf").write_text(status)
    (folder / "upstreams.conf").write_text(replaced((NGINX / upstreams).read_text(), addresses))
    (folder / "nginx.conf").write_text(_around(folder))
    program = shutil.which("nginx") or "nginx"
    command = (program, "-p", str(folder), "-c", str(folder / "nginx.conf"))
    return Proxy(folder, command, (*command, "-t"), https, http)


def _around(folder: Path) -> str:
    # Workers must be able to read the folder, which is this user's alone.
    user = "user root;\n" if os.geteuid() == 0 else ""
    temporary = "".join(
        f"  {kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"{user}pid {folder}/pid;\nerror_log {folder}/error.log;\ndaemon off;\nevents {{}}\n"
        f"http {{\n{temporary}  include {folder}/upstreams.conf;\n"
        f"  include {folder}/site.conf;\n  include {folder}/status.conf;\n}}\n"
    )
