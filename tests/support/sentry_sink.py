"""A Sentry on loopback, which keeps what it is really sent."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Sink:
    """What arrived: each envelope as text, and the reports in them."""

    port: int
    envelopes: list[str] = field(default_factory=list)
    may_answer: threading.Event = field(default_factory=threading.Event)

    @property
    def dsn(self) -> str:
        return f"http://public@127.0.0.1:{self.port}/1"

    @property
    def text(self) -> str:
        return "\n".join(self.envelopes)

    def reports(self, kind: str = "event") -> list[dict[str, Any]]:
        """The payloads of one type of item."""
        found = []
        for envelope in list(self.envelopes):
            lines = envelope.splitlines()[1:]
            found += [
                json.loads(payload)
                for head, payload in zip(lines[::2], lines[1::2], strict=True)
                if json.loads(head)["type"] == kind
            ]
        return found

    def errors(self) -> list[str]:
        """The types of the errors reported, each the outermost of its chain."""
        return [report["exception"]["values"][-1]["type"] for report in self.reports()]


@contextmanager
def sentry_sink() -> Iterator[Sink]:
    """Take envelopes at /api/1/envelope/ and answer once that is allowed, which at first it is."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            assert self.path == "/api/1/envelope/"
            sink.envelopes.append(body.decode())
            sink.may_answer.wait()
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        sink = Sink(server.server_address[1])
        sink.may_answer.set()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield sink
        sink.may_answer.set()
        server.shutdown()
