"""A gate before S3: it holds reads back, cuts them, or kills who makes them. No mock of S3."""

from __future__ import annotations

import os
import signal
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import psutil

_PIECE = 1 << 16
_LONGEST_HOLD_S = 60.0


@dataclass
class Gate:
    """Everything passes, except keys and buckets that a test names."""

    upstream: tuple[str, int]
    port: int = 0
    held: dict[str, threading.Event] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    deadly: set[str] = field(default_factory=set)
    deaths: list[int] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def hold(self, name: str) -> None:
        """Let nobody read this object until it is released."""
        self.held[name] = threading.Event()

    def release(self, name: str) -> None:
        self.held[name].set()

    def is_waiting(self, name: str) -> bool:
        """Whether somebody stands before a held object."""
        return name in self.waiting

    def poison(self, name: str) -> None:
        """From now on, SIGKILL whatever process asks for this object."""
        self.deadly.add(name)

    def cut(self, bucket: str) -> None:
        """From now on, hang up on whoever reads from this bucket."""
        self.closed.add(bucket)

    def mend(self, bucket: str) -> None:
        self.closed.discard(bucket)

    def reset(self) -> None:
        for event in self.held.values():
            event.set()
        for kept in (self.held, self.waiting, self.deadly, self.deaths, self.closed):
            kept.clear()

    def admit(self, request: bytes, peer_port: int) -> None:
        """Look at a piece of what a client sends, and do to it what the test asked for."""
        line = request[: request.find(b"\r\n")].decode("latin-1")
        if not line.startswith("GET "):
            return
        path = line.split()[1].split("?")[0]
        if path.split("/")[1] in self.closed:
            raise ConnectionAbortedError
        name = path.rsplit("/", 1)[-1]
        if name in self.deadly:
            self._kill_owner(peer_port)
        event = self.held.get(name)
        if event is not None:
            self.waiting.add(name)
            event.wait(_LONGEST_HOLD_S)

    def _kill_owner(self, peer_port: int) -> None:
        """End the process at the other end; a port alone may be another connection's, too."""
        for connection in psutil.net_connections("tcp"):
            ends = connection.laddr and connection.raddr
            if not (ends and connection.pid):
                continue
            if (connection.laddr.port, connection.raddr.port) == (peer_port, self.port):
                with suppress(ProcessLookupError):
                    os.kill(connection.pid, signal.SIGKILL)
                    self.deaths.append(connection.pid)


@contextmanager
def open_gate(upstream_url: str) -> Iterator[Gate]:
    """A gate before this server, on a port of its own."""
    parts = urlsplit(upstream_url)
    gate = Gate((str(parts.hostname), int(parts.port or 80)))

    class Passage(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            _pass(gate, self.request, self.client_address[1])

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Passage) as server:
        server.daemon_threads = True
        gate.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield gate
        gate.reset()
        server.shutdown()


def _pass(gate: Gate, client: socket.socket, peer_port: int) -> None:
    with socket.create_connection(gate.upstream) as server:
        back = threading.Thread(target=_copy, args=(server, client), daemon=True)
        back.start()
        with suppress(OSError):
            while piece := client.recv(_PIECE):
                gate.admit(piece, peer_port)
                server.sendall(piece)
        with suppress(OSError):
            server.shutdown(socket.SHUT_WR)
        back.join(5)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
