"""No spelling of an address that webhooks may not reach gets as far as connect()."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

import pytest

from app.adapters.address_guard import AllowList
from app.adapters.outgoing_http import OutgoingHttp
from app.domain.errors import (
    UnsafeAddress,
    WebhookUnreachable,
)
from app.domain.request_errors import (
    WebhookAddressForbidden,
    WebhookUrlInvalid,
)

# Spellings that the system's resolver or a URL parser takes for an address.
NUMERIC = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7F000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "0177.0.0.1",
    "0177.0.0.01",
    "0177.1",
    "00000177.0.0.1",
    "0x7f.0x0.0x0.0x1",
    "0x7f.0.0x1",
    "127.0.0.0x1",
    "127.0x000001",
    "0",
    "0.0.0.0",  # noqa: S104 - a target here, nothing binds to it
    "0x0",
    "00",
    "10.0.0.1",
    "10.1",
    "0xa000001",
    "012.0.0.1",
    "167772161",
    "172.16.0.1",
    "2886729729",
    "0xac100001",
    "192.168.1.1",
    "3232235777",
    "0xc0a80101",
    "0300.0250.1.1",
    "192.168.257",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0xa9.0xfe.0xa9.0xfe",
    "0251.0376.0251.0376",
    "169.16689662",
    "169.254.43518",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "255.255.255.255",
    "4294967295",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::FFFF:7F00:0001]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:7f00:1::80ff:fffe]",
    "[2606:4700::5efe:7f00:1]",
    "[fd00:ec2::254]",
    "[fc00::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "localhost",
    "LOCALHOST",
]

# What is refused before a name is looked up, or never resolves to anything.
TRICKS = [
    "127.0.0.1.",
    "127.0.0.1%20",
    "127.0.0.1%00.example.com",
    "127。0。0。1",
    "①②⑦.⓪.⓪.①",
    "127.0.0.1",
    "[fe80::1%251]",
    "[fe80::1%25lo]",
    "[::1%25lo]",
    "[::ffff:127.0.0.1%251]",
    "[127.0.0.1]",
    "[::1",
    "example.com@127.0.0.1",
    "user:password@127.0.0.1",
    "@127.0.0.1",
    "example.com\\@127.0.0.1",
    "127.0.0.1\\@example.com",
    "127.0.0.1\t",
    " 127.0.0.1",
    "127.0.0.1\r\nHost: example.com",
    "1.1.1.1&@127.0.0.1",
    "256.256.256.256",
    "127.0.0.1.1",
    "0x7f.0.0.0x",
    "08.0.0.1",
]

# Names with a record that somebody chose for them.
NAMES = {
    "localtest.example": ["127.0.0.1"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
    "intranet.example": ["10.20.30.40"],
    "six.example": ["::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "zone.example": ["fe80::1%1"],
    "one-good-one-bad.example": ["93.184.216.34", "127.0.0.1"],
    "one-bad-one-good.example": ["127.0.0.1", "93.184.216.34"],
}


def records(host: str, port: int) -> Sequence[tuple[Any, ...]]:
    return [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
        if ":" in address
        else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
        for address in NAMES[host]
    ]


def client(**options: Any) -> OutgoingHttp:
    return OutgoingHttp(AllowList([]), require_https=False, total_seconds=3.0, **options)


def test_there_are_enough_spellings_to_mean_something() -> None:
    assert len(set(NUMERIC + TRICKS + list(NAMES))) >= 100


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", NUMERIC)
def test_a_forbidden_address_is_recognised_however_it_is_spelt(
    trap: Any, scheme: str, host: str
) -> None:
    with pytest.raises(UnsafeAddress):
        client().post(f"{scheme}://{host}:{trap.port}/", b"{}", {})

    assert trap.connects_tried == 0
    assert not trap.caught()


@pytest.mark.parametrize("host", TRICKS)
def test_a_url_that_parsers_read_differently_reaches_nothing(trap: Any, host: str) -> None:
    with pytest.raises((UnsafeAddress, WebhookUrlInvalid, WebhookUnreachable)):
        client().post(f"http://{host}:{trap.port}/", b"{}", {})

    assert trap.connects_tried == 0
    assert not trap.caught()


@pytest.mark.parametrize("name", NAMES)
def test_a_name_with_one_forbidden_address_is_refused_whole(trap: Any, name: str) -> None:
    with pytest.raises(UnsafeAddress):
        client(resolve=records).post(f"http://{name}:{trap.port}/", b"{}", {})

    assert trap.connects_tried == 0
    assert not trap.caught()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://1.1.1.1/",
        "file:///etc/passwd",
        "gopher://1.1.1.1:70/_",
        "//1.1.1.1/",
        "1.1.1.1",
        "",
        "http://",
        "http:///x",
        "http://1.1.1.1:0/",
        "http://1.1.1.1:99999/",
        "http://1.1.1.1/" + "a" * 2048,
    ],
)
def test_what_is_not_an_absolute_web_address_is_refused(trap: Any, url: str) -> None:
    with pytest.raises(WebhookUrlInvalid):
        client().post(url, b"{}", {})

    assert trap.connects_tried == 0


def test_a_name_is_resolved_once_so_that_rebinding_it_changes_nothing(trap: Any) -> None:
    answers = iter([["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]])
    asked: list[str] = []
    connected_to: list[Any] = []

    def rebinding(host: str, port: int) -> Sequence[tuple[Any, ...]]:
        asked.append(host)
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in next(answers)
        ]

    class Recording(socket.socket):
        def connect(self, address: Any) -> None:
            connected_to.append(address)
            raise ConnectionRefusedError("not in a test")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.adapters.outgoing_http.socket.socket", Recording)
        with pytest.raises(WebhookUnreachable):
            client(resolve=rebinding).post(f"http://rebind.example:{trap.port}/", b"{}", {})

    assert asked == ["rebind.example"]
    assert connected_to == [("93.184.216.34", trap.port)]
    assert not trap.caught()


def test_a_name_that_turned_private_since_the_last_call_is_refused(trap: Any) -> None:
    with pytest.raises(UnsafeAddress):
        client(resolve=lambda _, port: [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]).post(
            f"http://rebind.example:{trap.port}/", b"{}", {}
        )

    assert trap.connects_tried == 0


def test_a_connection_whose_peer_is_not_the_address_it_was_made_to_is_dropped(trap: Any) -> None:
    class Diverted(socket.socket):
        def connect(self, _: Any) -> None:  # what a redirecting firewall would do
            super().connect(("127.0.0.1", trap.port))

    sent: list[bytes] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.adapters.outgoing_http.socket.socket", Diverted)
        patch.setattr("http.client.HTTPConnection.send", lambda _, data: sent.append(data))
        with pytest.raises(UnsafeAddress):
            client(
                resolve=lambda _, port: [(socket.AF_INET, 1, 6, "", ("93.184.216.34", port))]
            ).post("http://hooks.example/", b"{}", {})

    assert sent == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_reported_and_not_followed(receiver: Any, trap: Any, status: int) -> None:
    receiver.status = status
    receiver.headers = {"Location": f"http://127.0.0.1:{trap.port}/latest/meta-data/"}

    allowed = AllowList([f"127.0.0.1:{receiver.port}"])
    answer = OutgoingHttp(allowed, require_https=False).post(receiver.url, b"{}", {})

    assert answer.status_code == status
    assert len(receiver.received) == 1
    assert not trap.caught()


def client_of_trap(trap: Any, *entries: str) -> OutgoingHttp:
    own = [entry.replace("PORT", str(trap.port)) for entry in entries]
    return OutgoingHttp(AllowList(own), require_https=False, total_seconds=0.3)


@pytest.mark.parametrize("entry", ["127.0.0.1:PORT", "127.0.0.0/8:PORT"])
def test_the_trap_does_catch_a_connection_that_is_allowed(trap: Any, entry: str) -> None:
    with pytest.raises(WebhookUnreachable):
        client_of_trap(trap, entry).post(f"http://127.0.0.1:{trap.port}/", b"{}", {})

    assert trap.connects_tried == 1
    assert trap.caught()


@pytest.mark.parametrize("entry", ["127.0.0.1", "127.0.0.0/8", "localhost", "127.0.0.1:8900"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1"])
def test_a_listed_host_is_not_reached_at_another_port(trap: Any, entry: str, host: str) -> None:
    with pytest.raises(UnsafeAddress, match=f"not at port {trap.port}"):
        client_of_trap(trap, entry).post(f"http://{host}:{trap.port}/", b"{}", {})

    assert trap.connects_tried == 0


@pytest.mark.parametrize("host", [*NUMERIC, "127.0.0.1.", "hooks.localhost"])
def test_a_forbidden_address_is_refused_when_its_url_is_new(trap: Any, host: str) -> None:
    with pytest.raises(WebhookAddressForbidden, match="not on the public internet"):
        client().check_new_url(f"https://{host}/hook")

    assert trap.connects_tried == 0


@pytest.mark.parametrize("host", ["1.1.1.1", "[2606:4700::1111]"])
def test_a_new_url_names_a_host_and_not_an_address(host: str) -> None:
    with pytest.raises(WebhookAddressForbidden, match="is an address"):
        client().check_new_url(f"https://{host}/hook")


def test_a_new_url_of_a_name_is_judged_when_it_is_called() -> None:
    client().check_new_url("https://metadata.google.internal/hook")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433"])
def test_a_new_url_may_name_an_address_that_is_listed_with_its_port(trap: Any, host: str) -> None:
    listing = client_of_trap(trap, "127.0.0.1:PORT")

    listing.check_new_url(f"http://{host}:{trap.port}/")
    with pytest.raises(WebhookAddressForbidden, match="with port 9333"):
        listing.check_new_url(f"http://{host}:9333/")
