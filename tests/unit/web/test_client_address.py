from __future__ import annotations

from ipaddress import ip_network

import pytest
from flask import Flask

from app.config import Settings
from app.web.client_address import client_address


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "address"),
    [
        ("192.0.2.1", None, "127.0.0.1", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.1", "127.0.0.1", "192.0.2.1"),
        ("127.0.0.1", "198.51.100.1", "127.0.0.1", "198.51.100.1"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.1", "127.0.0.1", "198.51.100.1"),
        ("10.0.0.2", "203.0.113.9, 198.51.100.1, 10.0.0.7", "10.0.0.0/8", "198.51.100.1"),
        ("127.0.0.1", "nonsense", "127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1", "", "127.0.0.1"),
        ("10.0.0.2", "2001:db8::1", "10.0.0.0/8", "2001:db8::1"),
        ("", "198.51.100.1", "127.0.0.1", "198.51.100.1"),
        ("", None, "127.0.0.1", None),
        # What a socket for both families shows.
        ("::ffff:192.0.2.1", None, "127.0.0.1", "192.0.2.1"),
        ("::ffff:10.0.0.2", "198.51.100.1", "10.0.0.0/8", "198.51.100.1"),
        ("10.0.0.2", "::ffff:198.51.100.1", "10.0.0.0/8", "198.51.100.1"),
        ("10.0.0.2", "198.51.100.1", "::ffff:10.0.0.0/104", "198.51.100.1"),
        ("::ffff:192.0.2.1", "198.51.100.1", "::/0", "192.0.2.1"),
    ],
)
def test_the_client_is_whom_the_last_trusted_proxy_saw(
    peer: str, forwarded: str | None, trusted: str, address: str | None
) -> None:
    app = Flask(__name__)
    app.config["SETTINGS"] = Settings.model_construct(
        trusted_proxies=tuple(filter(None, trusted.split(",")))
    )
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}

    with app.test_request_context(headers=headers, environ_base={"REMOTE_ADDR": peer}):
        assert client_address() == address


def test_the_list_of_proxies_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(
        "app.domain.networks.ip_network", lambda text: read.append(text) or ip_network(text)
    )
    app = Flask(__name__)
    app.config["SETTINGS"] = Settings.model_construct(trusted_proxies=("10.9.8.0/24",))

    for _ in range(3):
        with app.test_request_context(environ_base={"REMOTE_ADDR": "10.9.8.1"}):
            client_address()

    assert read == ["10.9.8.0/24"]
