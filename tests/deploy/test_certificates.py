from __future__ import annotations

import json
import os
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.stack.state import ROOT
from tests.deploy.programs import needs
from tests.deploy.proxies import Proxy, is_open, make_certificate, nginx
from tests.support.ports import free_port
from tests.support.processes import wait_until

DOMAIN = "facequeue.example.com"

pytestmark = [
    needs("nginx", "openssl", "certbot", "pebble", "pebble-challtestsrv"),
    pytest.mark.xdist_group("certificates"),
]


@dataclass(frozen=True)
class Authority:
    """pebble, which asks nginx for the challenge, and the site that will have the certificate."""

    site: Proxy
    directory: str
    folder: Path

    def setup_ssl(self, *more: str) -> subprocess.CompletedProcess[str]:
        site = self.site
        command = (
            *(str(ROOT / "scripts/setup_ssl.sh"), DOMAIN, "--server", self.directory),
            *("--webroot", str(site.folder / "acme"), "--out", str(site.folder / "tls")),
            *("--reload", " ".join((*site.command, "-s", "reload"))),
            *("--state", str(self.folder / "certbot"), *more),
        )
        environment = {**os.environ, "REQUESTS_CA_BUNDLE": f"{self.folder}/fullchain.pem"}
        return subprocess.run(  # noqa: S603 - our own script
            command, env=environment, capture_output=True, text=True, check=False, timeout=240
        )

    def certificate(self) -> str:
        return (self.site.folder / "tls/fullchain.pem").read_text()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    folder = tmp_path_factory.mktemp("pebble")
    make_certificate(folder, "127.0.0.1")
    names, api, management = free_port(), free_port(), free_port()
    site_folder = tmp_path_factory.mktemp("site")
    with nginx(site_folder, "one-host.conf", {}).running() as site:
        settings = {
            "listenAddress": f"127.0.0.1:{api}",
            "managementListenAddress": f"127.0.0.1:{management}",
            "certificate": f"{folder}/fullchain.pem",
            "privateKey": f"{folder}/privkey.pem",
            "httpPort": site.http,
            "tlsPort": site.https,
        }
        (folder / "pebble.json").write_text(json.dumps({"pebble": settings}))
        resolver = (
            *("pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""),
            *("-dns01", f"127.0.0.1:{names}", "-management", f"127.0.0.1:{free_port()}"),
            *("-http01", "", "-https01", "", "-tlsalpn01", ""),
        )
        pebble = ("pebble", "-config", f"{folder}/pebble.json", "-dnsserver", f"127.0.0.1:{names}")
        quick = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
        with (
            (folder / "log").open("ab") as log,
            subprocess.Popen(resolver, stdout=log, stderr=log) as one,  # noqa: S603 - constants
            subprocess.Popen(pebble, stdout=log, stderr=log, env=quick) as other,  # noqa: S603 - likewise
        ):
            try:
                wait_until(lambda: is_open(api), what="pebble's start")
                yield Authority(site, f"https://127.0.0.1:{api}/dir", folder)
            finally:
                one.terminate()
                other.terminate()


def test_a_certificate_is_issued_served_and_renewed(authority: Authority) -> None:
    issued = authority.setup_ssl()
    assert issued.returncode == 0, issued.stdout + issued.stderr
    first = authority.certificate()
    wait_until(lambda: served(authority.site) in first, what="nginx with the certificate")
    assert (authority.site.folder / "tls/privkey.pem").stat().st_mode & 0o777 == 0o600

    renewed = authority.setup_ssl("--renew")
    assert renewed.returncode == 0, renewed.stdout + renewed.stderr
    second = authority.certificate()
    assert second != first
    wait_until(lambda: served(authority.site) in second, what="nginx with the new certificate")


def test_a_dry_run_changes_nothing(authority: Authority) -> None:
    (authority.site.folder / "acme").mkdir(exist_ok=True)  # the script makes none in a dry run
    before = authority.certificate()

    tried = authority.setup_ssl("--dry-run", "--renew")

    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert authority.certificate() == before


def served(site: Proxy) -> str:
    """The certificate that nginx shows, as PEM."""
    return ssl.get_server_certificate(("127.0.0.1", site.https)).strip()


@pytest.mark.parametrize("script", ["self_signed.sh", "setup_ssl.sh"])
@pytest.mark.parametrize(("arguments", "code"), [("--help", 0), ("", 2), ("--unknown", 2)])
def test_a_script_says_by_its_exit_code_how_it_was_used(
    script: str, arguments: str, code: int
) -> None:
    command = (str(ROOT / "scripts" / script), *arguments.split())
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours

    assert done.returncode == code
    assert "Usage:" in done.stdout or "--help" in done.stderr


def test_a_key_of_one_s_own_is_for_its_owner_alone(tmp_path: Path) -> None:
    make_certificate(tmp_path, DOMAIN, "127.0.0.1", "::1")

    shown = subprocess.run(  # noqa: S603 - our own file
        ["openssl", "x509", "-noout", "-ext", "subjectAltName", "-in", tmp_path / "fullchain.pem"],  # noqa: S607 - by PATH
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "IP Address:127.0.0.1" in shown
    assert f"DNS:{DOMAIN}" in shown
    assert (tmp_path / "privkey.pem").stat().st_mode & 0o777 == 0o600
