from __future__ import annotations

import pytest

from app.domain.networks import networks, parse_address


@pytest.mark.parametrize(
    ("entries", "address", "inside"),
    [
        (("203.0.113.0/24",), "203.0.113.9", True),
        (("203.0.113.0/24",), "203.0.114.9", False),
        (("203.0.113.9",), "203.0.113.9", True),
        (("203.0.113.0/24",), "::ffff:203.0.113.9", True),
        (("203.0.113.0/24",), "::ffff:cb00:7109", True),
        (("::ffff:203.0.113.0/120",), "203.0.113.9", True),
        (("::/0",), "203.0.113.9", False),
        (("::/0",), "::ffff:203.0.113.9", False),
        (("0.0.0.0/0",), "2001:db8::1", False),
        (("2001:db8::/32",), "2001:DB8:0:0::1", True),
        (("fe80::/10",), "fe80::1%eth0", True),
    ],
)
def test_an_address_is_in_a_list_however_either_is_written(
    entries: tuple[str, ...], address: str, *, inside: bool
) -> None:
    parsed = parse_address(address)
    assert parsed is not None
    assert (parsed in networks(entries)) is inside


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        (("10.0.0.0/8",), ("10.1.0.0/16",), True),
        (("10.1.0.0/16",), ("10.0.0.0/8",), False),
        (("10.0.0.0/9", "10.128.0.0/9"), ("10.0.0.0/8",), True),
        (("10.0.0.0/8",), ("10.1.0.0/16", "192.0.2.1"), False),
        (("0.0.0.0/0",), ("::/0",), False),
        (("::/0",), ("::ffff:10.0.0.0/104",), False),
        (("10.0.0.0/8",), ("::ffff:10.0.0.0/104",), True),
    ],
)
def test_a_list_covers_what_lies_in_it_and_no_more(
    wide: tuple[str, ...], narrow: tuple[str, ...], *, covered: bool
) -> None:
    assert networks(wide).cover(networks(narrow)) is covered


@pytest.mark.parametrize(
    "text", ["", "office", "10.0.0.1/8", "10.0.0.0/33", "fe80::1%eth0", "1.2.3"]
)
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        networks((text,))
