"""A proxy whose connections break off, as those to an API that restarts."""

from __future__ import annotations

import itertools
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

# Bytes of answers after which a connection is cut, one connection after the other.
_BUDGETS = (0, 900, 5_000, 60_000)


@contextmanager
def cuts_answers(url: str) -> Iterator[str]:
    """The URL of a proxy to `url`; each of its connections is cut sooner or later."""
    budgets = itertools.cycle(_BUDGETS)
    upstream = (urlsplit(url).hostname, urlsplit(url).port)

    class Cutter(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            left = next(budgets)
            with socket.create_connection(upstream) as server, suppress(OSError):
                threading.Thread(target=_pump, args=(self.request, server), daemon=True).start()
                while answer := server.recv(65_536):
                    self.request.sendall(answer[:left])
                    left -= len(answer)
                    if left <= 0:
                        return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Cutter) as proxy:
        proxy.daemon_threads = True
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{proxy.server_address[1]}"
        proxy.shutdown()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65_536):
            target.sendall(piece)
