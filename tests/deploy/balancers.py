"""The two ways to spread requests over three API hosts, which must behave alike."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from scripts.stack.state import ROOT
from tests.deploy.proxies import Proxy, make_certificate, nginx, replaced
from tests.support.ports import free_port

HAPROXY = (ROOT / "deploy/haproxy/haproxy.cfg").read_text()

Build = Callable[[Path, list[str]], Proxy]


def haproxy(folder: Path, hosts: list[str], changes: Mapping[str, str] | None = None) -> Proxy:
    """HAProxy before `hosts`; `changes` (patterns) is what a test needs otherwise."""
    http, https = free_port(), free_port()
    make_certificate(folder / "tls", "127.0.0.1")
    configuration = replaced(
        HAPROXY,
        {
            r"bind :80\b": f"bind 127.0.0.1:{http}",
            r"bind :443\b": f"bind 127.0.0.1:{https}",
            r"/etc/ssl/facequeue/": f"{folder}/tls/",
            r"log /dev/log local0": "log stdout format raw local0",
            r"    (user|group) haproxy\n": "",
            r"    stats socket .*\n": "",
            r"127\.0\.0\.1:8402": f"127.0.0.1:{free_port()}",
            **_addresses(hosts),
            **(changes or {}),
        },
    )
    (folder / "haproxy.cfg").write_text(configuration)
    program = shutil.which("haproxy") or "haproxy"
    command = (program, "-f", str(folder / "haproxy.cfg"))
    return Proxy(folder, (*command, "-db"), (*command, "-c"), https, http)


def nginx_balancer(folder: Path, hosts: list[str]) -> Proxy:
    """nginx before `hosts`."""
    return nginx(folder, "load-balancer.conf", _addresses(hosts))


def _addresses(hosts: list[str]) -> dict[str, str]:
    return {rf"10\.0\.0\.1{n}:8000": host for n, host in enumerate(hosts, 1)}


BALANCERS = [
    pytest.param(nginx_balancer, id="nginx"),
    pytest.param(haproxy, id="haproxy"),
]
