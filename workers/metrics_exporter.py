"""Metrics of a host without an API: what the processes of the host share, on a page of its own.

`python -m workers.metrics_exporter` needs PROMETHEUS_MULTIPROC_DIR, and METRICS_BIND for another
address than 127.0.0.1:9110; no database, and no secrets. Numbers of the queue are the APIs', which
tell the same from everywhere.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType

from prometheus_client import CONTENT_TYPE_LATEST

from app.metrics.dead_processes import fold_now_and_then
from app.metrics.shared_page import shared_page
from app.metrics.sharing import shared_folder

_BIND = "127.0.0.1:9110"
# A client that says nothing must not hold a thread.
_SILENCE_S = 10


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host: str, port: int, folder: Path) -> None:
        self.folder = folder
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Page)


class _Page(BaseHTTPRequestHandler):
    server: _Server
    timeout = _SILENCE_S
    server_version = "facequeue"
    sys_version = ""

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        folder = self.server.folder
        folder.mkdir(parents=True, exist_ok=True)
        fold_now_and_then(folder)
        page = shared_page(folder)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", CONTENT_TYPE_LATEST)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """A scrape each few seconds is no news."""


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    folder = shared_folder()
    host, _, port = os.environ.get("METRICS_BIND", _BIND).rpartition(":")
    if folder is None or not host or not port.isdigit():
        sys.stderr.write("Set PROMETHEUS_MULTIPROC_DIR to a folder, METRICS_BIND to HOST:PORT\n")
        return 3
    try:
        server = _Server(host.strip("[]"), int(port), folder)
    except OSError as error:
        sys.stderr.write(f"METRICS_BIND={host}:{port}: {error}\n")
        return 3
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    server.serve_forever()
    return 0


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
