from __future__ import annotations

from ipaddress import ip_address

import pytest

from app.adapters.address_guard import AllowList, is_public

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.1",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80b::200e",
    "64:ff9b::808:808",  # NAT64 of 8.8.8.8
    "2606:4700::5efe:808:808",  # ISATAP of 8.8.8.8
]

FORBIDDEN = [
    "0.0.0.0",  # noqa: S104 - a target here, nothing binds to it
    "0.1.2.3",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:53aa:64c::f5ff:fffe",  # Teredo
    "2001:db8::1",
    "2002:7f00:1::",  # 6to4 of 127.0.0.1
    "2606:4700::5efe:7f00:1",  # ISATAP of 127.0.0.1
    "2606:4700::200:5efe:a00:1",  # ISATAP of 10.0.0.1
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_special_or_disguised_address_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


def test_the_allow_list_takes_addresses_networks_and_names() -> None:
    allowed = AllowList(["127.0.0.1", "10.1.0.0/16", "fd00::/8", "Hooks.Internal."])

    assert allowed.has_address(ip_address("127.0.0.1"), 443)
    assert allowed.has_address(ip_address("10.1.2.3"), 80)
    assert allowed.has_host("fd12::1", 443)
    assert allowed.has_host("hooks.internal", 443)


@pytest.mark.parametrize("entry", ["127.0.0.1", "127.0.0.0/8", "127.0.0.1.example", "::1"])
def test_an_entry_without_a_port_opens_those_of_the_web_alone(entry: str) -> None:
    allowed = AllowList([entry])
    host = entry.partition("/")[0]

    assert [port for port in (80, 443, 22, 8080, 8888) if allowed.has_host(host, port)] == [80, 443]


@pytest.mark.parametrize(
    ("entry", "host"),
    [
        ("127.0.0.1:8900", "127.0.0.1"),
        ("127.0.0.0/8:8900", "127.1.2.3"),
        ("Hooks.Internal:8900", "hooks.internal."),
        ("[::1]:8900", "::1"),
        ("[fd00::/8]:8900", "fd12::1"),
    ],
)
def test_an_entry_with_a_port_opens_that_one_alone(entry: str, host: str) -> None:
    allowed = AllowList([entry])

    assert [port for port in (80, 443, 8900, 8901) if allowed.has_host(host, port)] == [8900]


def test_the_allow_list_covers_nothing_else() -> None:
    allowed = AllowList(["127.0.0.1", "10.1.0.0/16", "hooks.internal"])

    assert not allowed.has_address(ip_address("127.0.0.2"), 443)
    assert not allowed.has_address(ip_address("::ffff:127.0.0.1"), 443)
    assert not allowed.has_host("evil.hooks.internal", 443)
    assert not allowed.has_host("hooks.internal.evil.example", 443)


def test_an_empty_allow_list_covers_nothing() -> None:
    assert not AllowList([]).has_address(ip_address("127.0.0.1"), 443)
