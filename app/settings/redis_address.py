"""Where a Redis is: at an address, with TLS or without, or wherever sentinels say that it is now.

- `redis://:PASSWORD@HOST:PORT/NUMBER`
- `rediss://:PASSWORD@HOST:PORT/NUMBER?ssl_ca_certs=FILE`
- `redis+sentinel://:PASSWORD@HOST:PORT,HOST:PORT/MASTER/NUMBER`
- `rediss+sentinel://…?ssl_ca_certs=FILE`
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

_PORT, _SENTINEL_PORT = 6379, 26379
_SENTINEL = "+sentinel"
_SCHEMES = frozenset({"redis", "rediss", "redis+sentinel", "rediss+sentinel"})
_FILES = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})


@dataclass(frozen=True)
class RedisAddress:
    """`hosts` are the sentinels' where there is a `master`, which is the name they know it by.

    `files` are those of TLS, by redis-py's names for them; without one the system's CAs count.
    """

    hosts: tuple[tuple[str, int], ...]
    username: str | None
    password: str | None = field(repr=False)
    number: int
    master: str | None
    tls: bool
    files: dict[str, str]

    @classmethod
    def is_one(cls, url: str) -> bool:
        """Whether a URL names a Redis at all, and no other broker."""
        return url.partition("://")[0] in _SCHEMES

    @classmethod
    def parse(cls, url: str) -> RedisAddress:
        """Read a URL.

        Raises:
            ValueError: it is none of these forms, or names a file that cannot be read; says which,
                and quotes nothing but the file.
        """
        parts = urlsplit(url)
        if parts.scheme not in _SCHEMES:
            raise ValueError("not of the form redis://:PASSWORD@HOST:PORT/NUMBER")
        sentinel = parts.scheme.endswith(_SENTINEL)
        login, _, hosts = parts.netloc.rpartition("@")
        username, _, password = login.partition(":")
        path = parts.path.strip("/").split("/")
        tls = parts.scheme.startswith("rediss")
        return cls(
            hosts=_hosts(hosts, _SENTINEL_PORT if sentinel else _PORT, many=sentinel),
            username=unquote(username) or None,
            password=unquote(password) or None,
            master=_master(path) if sentinel else None,
            number=_number(path[1:] if sentinel else path),
            tls=tls,
            files=_files(parts.query, tls=tls),
        )


def _hosts(text: str, default: int, *, many: bool) -> tuple[tuple[str, int], ...]:
    names = text.split(",")
    if len(names) > 1 and not many:
        raise ValueError("several hosts are sentinels: begin with redis+sentinel://")
    hosts = []
    for name in names:
        try:
            parts = urlsplit(f"//{name}")
            host, port = parts.hostname, default if parts.port is None else parts.port
        except ValueError:
            host, port = None, 0
        if not host or not port:
            raise ValueError("a host is HOST or HOST:PORT, and several are parted by commas")
        hosts.append((host, port))
    return tuple(hosts)


def _master(path: list[str]) -> str:
    if not path[0]:
        raise ValueError("name the master that the sentinels watch: …/MASTER or …/MASTER/NUMBER")
    return unquote(path[0])


def _number(path: list[str]) -> int:
    if path in ([], [""]):
        return 0
    if len(path) > 1 or not path[0].isdecimal():
        raise ValueError("the last part is the number of a database, such as /0")
    return int(path[0])


def _files(query: str, *, tls: bool) -> dict[str, str]:
    files = dict(parse_qsl(query, keep_blank_values=True))
    if files and not tls:
        raise ValueError("files of TLS need rediss://")
    if unknown := files.keys() - _FILES:
        raise ValueError(f"{min(unknown)} is unknown; there are {', '.join(sorted(_FILES))}")
    for name, path in files.items():
        try:
            Path(path).read_bytes()
        except OSError as error:
            raise ValueError(f"{name}={path} cannot be read: {error.strerror}") from None
    return files
