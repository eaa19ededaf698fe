"""A running FaceQueue with all the exporters of deploy/monitoring, and a real Prometheus."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from scripts.stack.state import ROOT
from tests.support.ports import free_port
from tests.support.processes import wait_until

FOLDER = ROOT / "deploy/monitoring"
PROGRAMS = (
    *("prometheus", "nginx", "openssl"),
    *(f"prometheus-{name}-exporter" for name in ("nginx", "postgres", "redis", "node", "blackbox")),
)
# What stands in prometheus.yml for each exporter and process.
JOBS = {
    "facequeue": 8000,
    "flower": 5555,
    "nginx": 9113,
    "postgres": 9187,
    "redis": 9121,
    "node": 9100,
    "certificate": 443,
    "blackbox": 9115,
}
_NGINX = """
pid {folder}/nginx.pid; error_log {folder}/nginx.log; daemon off;
events {{}}
http {{
  access_log off;
  server {{
    listen 127.0.0.1:{tls} ssl;
    ssl_certificate {folder}/fullchain.pem; ssl_certificate_key {folder}/privkey.pem;
  }}
  include {folder}/status.conf;
}}
"""
_BACKUP = """\
facequeue_backup_last_success_timestamp_seconds{{kind="database"}} {now}
facequeue_backup_size_bytes{{kind="database"}} 1000
facequeue_backup_last_status{{kind="database"}} 1
"""


@dataclass
class Watched:
    """Prometheus at `url`; `began` is when it did."""

    url: str
    began: float = field(default_factory=time.time)

    def ask(self, path: str, **arguments: Any) -> Any:
        answer = requests.get(f"{self.url}/api/v1/{path}", params=arguments, timeout=10).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def series(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression had at any moment since the beginning."""
        found = self.ask(
            "query_range", query=expression, start=self.began, end=time.time(), step="1s"
        )
        series: list[dict[str, Any]] = found["result"]
        return series


@contextmanager
def watched(environment: Mapping[str, str], flower: int, folder: Path) -> Iterator[Watched]:
    """Start the exporters and Prometheus, with the addresses of this stack in its configuration."""
    ports = {name: free_port() for name in JOBS} | {"flower": flower, "plain": free_port()}
    ports["facequeue"] = int(environment["FACEQUEUE_URL"].rpartition(":")[2])
    port, url = free_port(), ""
    (folder / "prometheus.yml").write_text(_configuration(ports))
    (folder / "alert_rules.yml").write_text((FOLDER / "alert_rules.yml").read_text())
    commands = [*_exporters(environment, ports, folder), _prometheus(port, folder)]
    with ExitStack() as running:
        for command in commands:
            running.enter_context(_started(command, environment, folder))
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: _answers(f"{url}/-/ready"), what="Prometheus")
        yield Watched(url)


def _configuration(ports: Mapping[str, int]) -> str:
    text = (FOLDER / "prometheus.yml").read_text()
    for name, port in JOBS.items():
        text = text.replace(f'127.0.0.1:{port}"', f'127.0.0.1:{ports[name]}"')
    text = text.replace("/flower/metrics", "/metrics")  # nothing stands before it here
    text = re.sub(r"_interval: 15s", "_interval: 1s", text)
    return re.sub(r"alerting:.*?\n\n", "", text, flags=re.DOTALL)


def _exporters(
    environment: Mapping[str, str], ports: Mapping[str, int], folder: Path
) -> list[Sequence[str]]:
    _prepare(ports, folder)
    certificate = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=facequeue"
        f" -keyout {folder}/privkey.pem -out {folder}/fullchain.pem"
    )
    subprocess.run(certificate.split(), check=True, capture_output=True)  # noqa: S603 - constant
    database = environment["DATABASE_OWNER_URL"].replace("+psycopg2", "")

    def listening(name: str) -> str:
        return f"web.listen-address=127.0.0.1:{ports[name]}"

    return [
        ["nginx", "-p", str(folder), "-c", f"{folder}/nginx.conf"],
        [
            "prometheus-nginx-exporter",
            f"-nginx.scrape-uri=http://127.0.0.1:{ports['plain']}/stub_status",
            *("-nginx.retries=60", "-nginx.retry-interval=500ms"),  # until nginx is up
            f"-{listening('nginx')}",
        ],
        [
            *(
                "env",
                f"DATA_SOURCE_NAME={database}?sslmode=disable",
                "prometheus-postgres-exporter",
            ),
            *(f"--{listening('postgres')}", f"--extend.query-path={FOLDER}/postgres_queries.yml"),
        ],
        [
            "prometheus-redis-exporter",
            f"-redis.addr={environment['REDIS_URL']}",
            f"-{listening('redis')}",
        ],
        [
            *("prometheus-node-exporter", "--collector.disable-defaults"),
            *("--collector.filesystem", "--collector.textfile"),
            *(f"--collector.textfile.directory={folder}/textfile", f"--{listening('node')}"),
        ],
        [
            "prometheus-blackbox-exporter",
            f"--config.file={FOLDER}/blackbox.yml",
            f"--{listening('blackbox')}",
        ],
    ]


def _prepare(ports: Mapping[str, int], folder: Path) -> None:
    configuration = _NGINX.format(folder=folder, tls=ports["certificate"])
    if os.geteuid() == 0:
        configuration = "user root;" + configuration
    (folder / "nginx.conf").write_text(configuration)
    status = (ROOT / "deploy/nginx/status.conf").read_text()
    (folder / "status.conf").write_text(status.replace(":8099;", f":{ports['plain']};"))
    (folder / "textfile").mkdir()
    (folder / "textfile/backup.prom").write_text(_BACKUP.format(now=int(time.time())))


def _prometheus(port: int, folder: Path) -> Sequence[str]:
    return [
        *("prometheus", f"--config.file={folder}/prometheus.yml"),
        *(f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"),
    ]


@contextmanager
def _started(
    command: Sequence[str], environment: Mapping[str, str], folder: Path
) -> Iterator[None]:
    with (
        (folder / f"{Path(command[0]).name}.log").open("ab") as log,
        subprocess.Popen(command, env=dict(environment), stdout=log, stderr=log) as process,  # noqa: S603 - our own configuration
    ):
        try:
            yield
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False
