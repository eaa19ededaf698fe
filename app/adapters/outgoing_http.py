"""POST to a URL that a stranger chose, without letting them reach into our network.

The host name is resolved once. Every address it has is judged, and the socket is connected to one
of those very addresses, so that no second look-up can give another answer; the connected peer is
judged again. No redirect is followed and no proxy is used.
"""

from __future__ import annotations

import functools
import http.client
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import certifi

from app.adapters.address_guard import AllowList, IpAddress, is_public
from app.adapters.outgoing_url import Target, parse_target
from app.config import Settings
from app.domain.errors import (
    UnsafeAddress,
    WebhookUnreachable,
)
from app.domain.request_errors import (
    WebhookAddressForbidden,
    WebhookUrlInvalid,
)

TOTAL_SECONDS = 15.0
EXCERPT_BYTES = 1024

Resolver = Callable[[str, int], Sequence[tuple[Any, ...]]]


@dataclass(frozen=True)
class Answer:
    """What the receiver said: its status, and the first bytes of its body as text."""

    status_code: int
    excerpt: str


@dataclass(frozen=True)
class _Candidate:
    family: socket.AddressFamily
    sockaddr: tuple[Any, ...]

    @property
    def address(self) -> IpAddress:
        return ip_address(self.sockaddr[0])


class _Deadline:
    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def remaining(self) -> float:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        return left


class OutgoingHttp:
    """A client for webhooks.

    Args:
        allowed: receivers that may be private, and may be called without TLS.
        require_https: refuse `http://` for all others.
        resolve: `(host, port) -> socket.getaddrinfo` rows; tests give another one.
        total_seconds: from the look-up of the name to the last byte read.
        tls: the context that verifies receivers; by default the system's and certifi's roots.
    """

    def __init__(
        self,
        allowed: AllowList,
        *,
        require_https: bool,
        resolve: Resolver | None = None,
        total_seconds: float = TOTAL_SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed = allowed
        self._require_https = require_https
        self._resolve = resolve or _system_resolver
        self._total_seconds = total_seconds
        self._tls = tls or _default_tls()

    @classmethod
    def from_settings(cls, settings: Settings) -> OutgoingHttp:
        """The client that the configuration describes."""
        return cls(
            AllowList(settings.webhook_allowed_hosts),
            require_https=settings.facequeue_env == "production",
        )

    def check_url(self, url: str) -> Target:
        """Take a URL apart. Says nothing about its addresses: those are judged at connect.

        Raises:
            WebhookUrlInvalid: not an absolute http(s) URL, has credentials, or lacks TLS.
        """
        target = parse_target(url)
        is_encrypted = target.scheme == "https"
        is_listed = self._allowed.has_host(target.host, target.port)
        if self._require_https and not is_encrypted and not is_listed:
            raise WebhookUrlInvalid("The URL must start with https://")
        return target

    def check_new_url(self, url: str) -> None:
        """Refuse a URL whose host alone, without a name server, says that it is not for webhooks.

        Raises:
            WebhookUrlInvalid: see `check_url`.
            WebhookAddressForbidden: an address, or a name of this machine, that is not listed.
        """
        target = self.check_url(url)
        objection = self._allowed.objection_to(target.host, target.port)
        if objection is not None:
            raise WebhookAddressForbidden(objection)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send one POST and read the beginning of the answer, whatever its status is.

        Raises:
            WebhookUrlInvalid: see `check_url`.
            UnsafeAddress: the host leads to an address that is not public; nothing was connected.
            WebhookUnreachable: no answer: name, network, TLS, protocol or time.
        """
        target = self.check_url(url)
        deadline = _Deadline(self._total_seconds)
        try:
            connected = self._connect(self._vetted(target, deadline), target, deadline)
            with (
                closing(connected),
                _cut_off(connected, deadline),
                closing(_over(self._secured(connected, target), target)) as connection,
            ):
                return _exchange(connection, target, body, headers, deadline)
        except (OSError, http.client.HTTPException) as error:
            raise WebhookUnreachable(self._explain(error, deadline)) from error

    def _vetted(self, target: Target, deadline: _Deadline) -> list[_Candidate]:
        found = _within(deadline, lambda: self._resolve(target.host, target.port))
        candidates = [_Candidate(family, sockaddr) for family, _, _, _, sockaddr in found]
        if not candidates:
            raise WebhookUnreachable("the host name has no address")
        for candidate in candidates:
            self._judge(candidate.address, target)
        return candidates

    def _judge(self, address: IpAddress, target: Target) -> None:
        if is_public(address) or self._allowed.has_address(address, target.port):
            return
        if not self._allowed.has_host(target.host, target.port):
            raise UnsafeAddress(
                "the host leads to an address that webhooks may not reach"
                f", or not at port {target.port}"
            )

    def _connect(
        self, candidates: Sequence[_Candidate], target: Target, deadline: _Deadline
    ) -> socket.socket:
        failure: OSError = OSError("no address answered")
        for position, candidate in enumerate(candidates):
            connected = socket.socket(candidate.family, socket.SOCK_STREAM)
            # One dead address must leave time for the next one.
            connected.settimeout(deadline.remaining() / (len(candidates) - position))
            try:
                connected.connect(candidate.sockaddr)
                self._judge(ip_address(connected.getpeername()[0]), target)
            except OSError as error:
                connected.close()
                failure = error
            except UnsafeAddress:
                connected.close()
                raise
            else:
                connected.settimeout(deadline.remaining())
                return connected
        raise failure

    def _secured(self, connected: socket.socket, target: Target) -> socket.socket:
        if target.scheme == "http":
            return connected
        return self._tls.wrap_socket(connected, server_hostname=target.host.rstrip("."))

    def _explain(self, error: Exception, deadline: _Deadline) -> str:
        try:
            deadline.remaining()
        except TimeoutError:
            return f"no answer within {self._total_seconds:g} s"
        return str(error) or type(error).__name__


def _system_resolver(host: str, port: int) -> Sequence[tuple[Any, ...]]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)


@functools.cache
def _default_tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())  # a bare Debian has no roots of its own
    return context


def _within(
    deadline: _Deadline, look_up: Callable[[], Sequence[tuple[Any, ...]]]
) -> Sequence[tuple[Any, ...]]:
    """Run a look-up that cannot be interrupted, and stop waiting for it at the deadline."""
    outcome: queue.SimpleQueue[Sequence[tuple[Any, ...]] | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put(look_up())
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that IDNA refuses
            outcome.put(error)

    threading.Thread(target=run, name="webhook-resolve", daemon=True).start()
    try:
        found = outcome.get(timeout=deadline.remaining())
    except queue.Empty as error:
        raise TimeoutError("the host name was not resolved in time") from error
    if isinstance(found, Exception):
        raise WebhookUnreachable("the host name cannot be resolved") from found
    return found


@contextmanager
def _cut_off(connected: socket.socket, deadline: _Deadline) -> Iterator[None]:
    """Shut the connection down at the deadline.

    A socket's own timeout starts anew with each byte, so that a receiver that drips one now and
    then would hold us for ever. The duplicate stays valid when TLS takes the socket over.
    """
    handle = connected.dup()

    def shut() -> None:
        try:
            handle.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it was closed already

    timer = threading.Timer(deadline.remaining(), shut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # or it could shut down whatever gets the descriptor next
        handle.close()


def _over(connected: socket.socket, target: Target) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = connected
    connection.auto_open = 0  # never a connection of its own making
    return connection


def _exchange(
    connection: http.client.HTTPConnection,
    target: Target,
    body: bytes,
    headers: Mapping[str, str],
    deadline: _Deadline,
) -> Answer:
    own = {"Host": target.authority, "Connection": "close"}
    connection.request("POST", target.request_uri, body=body, headers={**headers, **own})
    with connection.getresponse() as response:
        deadline.remaining()  # http.client takes a head that was cut off for a complete one
        return Answer(response.status, _first_bytes(response))


def _first_bytes(response: http.client.HTTPResponse) -> str:
    """The beginning of the body. The status is known, so a body that breaks off is no failure."""
    received = b""
    try:
        while len(received) < EXCERPT_BYTES:
            piece = response.read1(EXCERPT_BYTES - len(received))
            if not piece:
                break
            received += piece
    except (OSError, http.client.HTTPException):
        pass  # what came is what there is
    return received.decode("utf-8", errors="replace").replace("\x00", "�")
