"""A client of websockets that is as small as one message and its answer."""

from __future__ import annotations

from tests.deploy.proxies import Proxy

_MASK = b"\x01\x02\x03\x04"


def echo(proxy: Proxy, path: str, message: bytes) -> tuple[int, bytes]:
    """Ask for a websocket and send a message; the status and what came back."""
    with proxy.connect() as connection, connection.makefile("rb") as answer:
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        status = int(answer.readline().split()[1])
        while answer.readline().strip():
            pass
        if status != 101:
            return status, b""
        masked = bytes(byte ^ _MASK[i % 4] for i, byte in enumerate(message))
        connection.sendall(bytes([0x81, 0x80 | len(message)]) + _MASK + masked)
        head = answer.read(2)
        return status, answer.read(head[1])
