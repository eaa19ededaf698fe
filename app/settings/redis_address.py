"""Where a Redis is: at an address, with TLS or without, or wherever sentinels say that it is now.

- `redis://:PASSWORD@HOST:PORT/NUMBER`
- `rediss://:PASSWORD@HOST:PORT/NUMBER?ssl_ca_certs=FILE`
- `sentinel://:PASSWORD@HOST:PORT,HOST:PORT/NUMBER?service=NAME`
- `sentinels://…?service=NAME&ssl_ca_certs=FILE`, with TLS to the sentinels too
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

_PORT, _SENTINEL_PORT = 6379, 26379
_ALONE = frozenset({"redis", "rediss"})
_WATCHED = frozenset({"sentinel", "sentinels"})
_WITH_TLS = frozenset({"rediss", "sentinels"})
_SERVICE, _CA = "service", "ssl_ca_certs"
_CERTIFICATE, _KEY = "ssl_certfile", "ssl_keyfile"
_TRUST = "ssl_cert_reqs"
# By the names that redis-py has for them, and by those that Celery has.
_TRUSTS = {"required": "required", "none": "none"}
_TRUSTS |= {"CERT_REQUIRED": "required", "CERT_NONE": "none"}
_TLS_NAMES = (_CA, _CERTIFICATE, _KEY, _TRUST)


@dataclass(frozen=True)
class RedisAddress:
    """`hosts` are the sentinels' where there is a `service`, whose master they name.

    `tls` has redis-py's arguments for it; None: no TLS. Without a file the system's CAs count.
    """

    hosts: tuple[tuple[str, int], ...]
    username: str | None
    password: str | None = field(repr=False)
    number: int
    service: str | None
    tls: Mapping[str, str] | None

    @staticmethod
    def is_one(url: str) -> bool:
        """Whether a URL names a Redis at all, and no other broker."""
        return url.partition("://")[0] in _ALONE | _WATCHED

    @classmethod
    def parse(cls, url: str) -> RedisAddress:
        """Read a URL; what stands in it is not looked at on disk.

        Raises:
            ValueError: it is none of these forms; says what is wrong, and quotes no value.
        """
        scheme, _, rest = url.partition("://")
        if not cls.is_one(url) or not rest:
            raise ValueError("not of the form redis://:PASSWORD@HOST:PORT/NUMBER")
        if ";" in rest:
            raise ValueError("sentinels stand in one URL, parted by commas")
        rest, _, query = rest.partition("?")
        netloc, _, number = rest.partition("/")
        login, _, hosts = netloc.rpartition("@")
        username, _, password = login.partition(":")
        known = _query(query, scheme)
        watched = scheme in _WATCHED
        return cls(
            hosts=_hosts(hosts, watched=watched),
            username=unquote(username) or None,
            password=unquote(password) or None,
            number=_number(number),
            service=_service(known) if watched else None,
            tls=_tls(known) if scheme in _WITH_TLS else None,
        )


def require_usable_files(tls: Mapping[str, str]) -> None:
    """Load the files that TLS needs, as a connection would.

    Raises:
        ValueError: one cannot be read, or is not what it should be; names it.
    """
    context = ssl.create_default_context()
    try:
        if _CA in tls:
            context.load_verify_locations(tls[_CA])
    except OSError as error:  # an SSLError too
        raise ValueError(f"{_CA}={tls[_CA]} is no file of CA certificates: {_why(error)}") from None
    try:
        if _CERTIFICATE in tls:
            context.load_cert_chain(tls[_CERTIFICATE], tls.get(_KEY), _no_password)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{_CERTIFICATE} and {_KEY} are not a certificate and its key: {_why(error)}"
        ) from None


def _no_password() -> str:
    # Without this, OpenSSL would ask the terminal.
    raise ValueError("the key needs a password")


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or "not in PEM form"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _hosts(text: str, *, watched: bool) -> tuple[tuple[str, int], ...]:
    names = text.split(",")
    if len(names) > 1 and not watched:
        raise ValueError("several hosts are sentinels: begin with sentinel://")
    return tuple(_host(name.strip(), _SENTINEL_PORT if watched else _PORT) for name in names)


def _host(name: str, default: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{name}")
        host, port = parts.hostname, default if parts.port is None else parts.port
    except ValueError:
        host, port = None, 0
    if not host or not port:
        raise ValueError("a host is HOST or HOST:PORT; several sentinels are parted by commas")
    return host, port


def _number(text: str) -> int:
    number = text.strip("/")
    if number and not (number.isascii() and number.isdecimal()):
        raise ValueError("after the host comes the number of a database, such as /0")
    return int(number or 0)


def _query(text: str, scheme: str) -> dict[str, str]:
    given = dict(parse_qsl(text, keep_blank_values=True))
    known = (_TLS_NAMES if scheme in _WITH_TLS else ()) + (
        (_SERVICE,) if scheme in _WATCHED else ()
    )
    for name, value in given.items():
        if name in _TLS_NAMES and name not in known:
            raise ValueError(f"{name} is for TLS: begin with rediss:// or sentinels://")
        if name not in known:
            raise ValueError(f"there is no parameter {name}; known: {', '.join(known) or 'none'}")
        if not value:
            raise ValueError(f"{name} is empty")
    return given


def _service(query: Mapping[str, str]) -> str:
    if _SERVICE not in query:
        raise ValueError(f"say whose master the sentinels are asked for: ?{_SERVICE}=NAME")
    return query[_SERVICE]


def _tls(query: Mapping[str, str]) -> Mapping[str, str]:
    trust = _TRUSTS.get(query.get(_TRUST, "required"))
    if trust is None:
        raise ValueError(f"{_TRUST} is required or none")
    if _KEY in query and _CERTIFICATE not in query:
        raise ValueError(f"{_KEY} needs {_CERTIFICATE}")
    files = {name: query[name] for name in (_CA, _CERTIFICATE, _KEY) if name in query}
    return {_TRUST: trust, **files}
