"""Free ports, chosen once and remembered, and a clear word when one is taken."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping
from contextlib import closing
from itertools import combinations

import psutil

from scripts.stack.failures import StackError
from scripts.stack.state import State

# What people expect to find where; used when free. The others may lie anywhere.
_PREFERRED = {
    "api": 8000,
    "flower": 5555,
    "s3": 9000,
    "receiver": 8900,
    "postgres": 15432,
    "redis": 16379,
}
_WITH_GRPC = ("s3", "s3_filer", "s3_master", "s3_volume")
_NAMES = ("postgres", "redis", *_WITH_GRPC, "api", "flower", "receiver")

# SeaweedFS listens for gRPC at each HTTP port plus this.
GRPC_OFFSET = 10_000

# Ports that neither the kernel nor a gRPC twin hands out to somebody else.
_LOWEST, _HIGHEST = 12_000, 22_000


def choose_ports(state: State) -> None:
    """Fill in the ports not chosen yet; FACEQUEUE_PORT_<NAME> in the environment wins."""
    for name in _NAMES:
        asked = os.environ.get(f"FACEQUEUE_PORT_{name.upper()}")
        if asked and state.is_default:
            state.ports[name] = _port_number(name, asked)
        elif name not in state.ports:
            state.ports[name] = _choose(name, state)
    _refuse_shared(state.ports)
    state.save()


def _refuse_shared(ports: Mapping[str, int]) -> None:
    for one, other in combinations(ports, 2):
        if ports[one] == ports[other]:
            raise StackError(
                f"Port {ports[one]} is asked for both {one} and {other}. Choose another: "
                f"FACEQUEUE_PORT_{other.upper()}=N ./scripts/quickstart.sh"
            )


def _port_number(name: str, text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 65_535 - GRPC_OFFSET:
        raise StackError(f"FACEQUEUE_PORT_{name.upper()}={text} is no port from 1 to 55535.")
    return int(text)


def _choose(name: str, state: State) -> int:
    taken = set(state.ports.values())
    preferred = _PREFERRED.get(name)
    if state.is_default and preferred and preferred not in taken and _usable(name, preferred):
        return preferred
    return choose_port(state, name)


def choose_port(state: State, name: str = "receiver") -> int:
    """A free port that none of the stack's programs has, for something that is called `name`."""
    for _ in range(1000):
        port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST)
        if port not in state.ports.values() and _usable(name, port):
            return port
    raise StackError(f"No free port for {name}. Set FACEQUEUE_PORT_{name.upper()} to one.")


def _usable(name: str, port: int) -> bool:
    return is_free(port) and (name not in _WITH_GRPC or is_free(port + GRPC_OFFSET))


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback interface."""
    with closing(socket.socket()) as probe:
        # As servers do: a port whose last connection is still closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def refuse_taken(state: State, names: tuple[str, ...]) -> None:
    """Check the ports of programs that are about to start.

    Raises:
        StackError: names the first port that another program holds, and that program if it can.
    """
    for name in names:
        port = state.ports[name]
        for candidate in (port, port + GRPC_OFFSET) if name in _WITH_GRPC else (port,):
            if not is_free(candidate):
                raise StackError(
                    f"Port {candidate} ({name}) is taken by {_holder(candidate)}. Stop it, or "
                    f"choose another: FACEQUEUE_PORT_{name.upper()}=N ./scripts/quickstart.sh"
                )


def _holder(port: int) -> str:
    try:
        connections = psutil.net_connections("tcp")
        for connection in connections:
            if connection.laddr and connection.laddr.port == port and connection.pid:
                process = psutil.Process(connection.pid)
                return f"{process.name()} (process {process.pid})"
    except psutil.Error:  # another user's process may be hidden from us
        pass
    return "another program"
