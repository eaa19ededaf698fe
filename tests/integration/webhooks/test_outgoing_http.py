from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.adapters.address_guard import AllowList, IpAddress
from app.adapters.outgoing_http import OutgoingHttp
from app.domain.errors import WebhookUnreachable
from app.domain.request_errors import WebhookUrlInvalid


class Loopback(AllowList):
    """This machine at any port: what the operator lists in test_ssrf.py is one port."""

    def has_address(self, address: IpAddress, port: int) -> bool:
        return port > 0 and address == ip_address("127.0.0.1")


LOOPBACK = Loopback([])


def client(seconds: float = 5.0, **options: Any) -> OutgoingHttp:
    return OutgoingHttp(LOOPBACK, require_https=False, total_seconds=seconds, **options)


@contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that speaks bytes, for receivers that do not keep to HTTP."""

    def serve() -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            try:
                talk(connection)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def drip(prefix: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(prefix)
        ended = threading.Event()
        while not ended.wait(0.05):
            connection.sendall(piece)

    return talk


def test_body_and_headers_arrive_as_given(receiver: Any) -> None:
    answer = client().post(
        receiver.url + "?a=1", b'{"x": 1}', {"Content-Type": "application/json", "webhook-id": "m1"}
    )

    assert answer.status_code == 200
    assert answer.excerpt == "thank you"
    [request] = receiver.received
    assert request.path == "/hook?a=1"
    assert request.body == b'{"x": 1}'
    assert request.headers["webhook-id"] == "m1"
    assert request.headers["Host"] == f"127.0.0.1:{receiver.port}"


@pytest.mark.parametrize("status", [200, 204, 400, 410, 500, 503])
def test_any_status_is_an_answer(receiver: Any, status: int) -> None:
    receiver.status, receiver.body = status, b""

    assert client().post(receiver.url, b"{}", {}).status_code == status


def test_only_the_first_kilobyte_of_the_answer_is_kept(receiver: Any) -> None:
    receiver.body = b"x" * 5_000_000

    assert client().post(receiver.url, b"{}", {}).excerpt == "x" * 1024


def test_an_answer_that_is_no_text_is_made_storable(receiver: Any) -> None:
    receiver.body = b"\xff\x00ok"

    assert client().post(receiver.url, b"{}", {}).excerpt == "\ufffd\ufffdok"


def test_a_receiver_that_never_answers_is_given_up_at_the_deadline() -> None:
    def silent(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    with raw_server(silent) as url:
        took = _fails_after(url, 0.5, match=r"no answer within 0\.5 s")

    assert took < 2


def test_a_receiver_that_drips_its_headers_is_given_up_at_the_deadline() -> None:
    with raw_server(drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"z")) as url:
        took = _fails_after(url, 0.5, match=r"no answer within")

    assert took < 2


def test_a_receiver_that_goes_on_with_100_continue_is_given_up_at_the_deadline() -> None:
    with raw_server(drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n")) as url:
        took = _fails_after(url, 0.5, match=r"no answer within")

    assert took < 2


def test_a_body_that_drips_keeps_its_status_and_ends_at_the_deadline() -> None:
    with raw_server(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b".")) as url:
        started = time.monotonic()
        answer = client(0.5).post(url, b"{}", {})

    assert answer.status_code == 200
    assert 0 < len(answer.excerpt) < 1000
    assert time.monotonic() - started < 2


def test_a_name_server_that_does_not_answer_counts_into_the_deadline() -> None:
    release = threading.Event()

    def stuck(_: str, __: int) -> list[tuple[Any, ...]]:
        release.wait(10)
        return []

    with pytest.raises(WebhookUnreachable, match=r"no answer within 0\.3 s"):
        client(0.3, resolve=stuck).post("http://slow.example/", b"{}", {})
    release.set()


def test_a_refused_connection_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(WebhookUnreachable, match="refused"):
        client().post(f"http://127.0.0.1:{port}/", b"{}", {})


def test_an_unknown_name_is_unreachable() -> None:
    with pytest.raises(WebhookUnreachable, match="cannot be resolved"):
        client().post("http://no-such-name.invalid/", b"{}", {})


def test_bytes_that_are_not_http_are_unreachable() -> None:
    def ssh(connection: socket.socket) -> None:
        connection.sendall(b"SSH-2.0-OpenSSH\r\n")

    with raw_server(ssh) as url, pytest.raises(WebhookUnreachable):
        client().post(url, b"{}", {})


def test_the_next_address_is_tried_when_one_refuses(receiver: Any) -> None:
    def two(_: str, port: int) -> list[tuple[Any, ...]]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in ("127.0.0.2", "127.0.0.1")
        ]

    allowed = AllowList([f"127.0.0.0/8:{receiver.port}"])
    both = OutgoingHttp(allowed, require_https=False, resolve=two)

    assert both.post(f"http://two.example:{receiver.port}/", b"{}", {}).status_code == 200


def test_proxies_of_the_environment_are_ignored(
    receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")

    assert client().post(receiver.url, b"{}", {}).status_code == 200


def test_production_demands_tls_unless_the_operator_lists_the_host() -> None:
    strict = OutgoingHttp(AllowList(["hooks.internal", "10.0.0.0/8:8080"]), require_https=True)

    assert strict.check_url("http://hooks.internal/x").port == 80
    assert strict.check_url("http://10.1.1.1:8080/x").port == 8080
    assert strict.check_url("https://example.com/x").port == 443
    with pytest.raises(WebhookUrlInvalid, match="https"):
        strict.check_url("http://example.com/x")


class Authority:
    """A certificate authority of its own, and a TLS receiver with a certificate from it."""

    def __init__(self, folder: Path) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        root = self._certificate(self._name, self._key.public_key(), None)
        self.roots = folder / "roots.pem"
        self.roots.write_bytes(root.public_bytes(serialization.Encoding.PEM))
        self._folder = folder

    def _certificate(self, subject: x509.Name, key: Any, host: str | None) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
        )
        if host is not None:
            names: list[x509.GeneralName] = [x509.DNSName(host)]
            if host[0].isdigit():
                names = [x509.IPAddress(ip_address(host))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def server_context(self, host: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        chain = self._folder / "server.pem"
        chain.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + self._certificate(subject, key.public_key(), host).public_bytes(
                serialization.Encoding.PEM
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def post_over_tls(authority: Authority, *, certificate_for: str, seen: list[str | None]) -> int:
    context = authority.server_context(certificate_for)

    def note_name(_: object, name: str | None, __: object) -> None:
        seen.append(name)

    context.sni_callback = note_name

    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            while not secured.recv(65536).endswith(b"{}"):
                pass
            secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with raw_server(talk) as url:
        port = int(url.rstrip("/").rsplit(":", 1)[1])
        trusting = client(
            resolve=lambda _, port: [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))],
            tls=ssl.create_default_context(cafile=str(authority.roots)),
        )
        return trusting.post(f"https://hooks.example:{port}/", b"{}", {}).status_code


def test_tls_asks_for_the_host_name_of_the_url_and_not_for_the_address(
    authority: Authority,
) -> None:
    seen: list[str | None] = []

    assert post_over_tls(authority, certificate_for="hooks.example", seen=seen) == 200
    assert seen == ["hooks.example"]


def test_a_certificate_for_another_name_is_refused(authority: Authority) -> None:
    with pytest.raises(WebhookUnreachable, match=r"(?i)certificate"):
        post_over_tls(authority, certificate_for="other.example", seen=[])


def test_a_certificate_of_an_unknown_authority_is_refused(
    authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "second").mkdir()
    authority.roots = Authority(tmp_path / "second").roots

    with pytest.raises(WebhookUnreachable, match=r"(?i)certificate"):
        post_over_tls(authority, certificate_for="hooks.example", seen=[])


def _fails_after(url: str, seconds: float, *, match: str) -> float:
    started = time.monotonic()
    with pytest.raises(WebhookUnreachable, match=match):
        client(seconds).post(url, b"{}", {})
    return time.monotonic() - started
