"""Who types a command, for the audit log."""

from __future__ import annotations

import os
import pwd
import socket

from app.domain.actor import Actor


def operator() -> Actor:
    """The operating system's user and host; of one who used sudo, also whom they came from."""
    name = _user()
    came_from = os.environ.get("SUDO_USER")
    return Actor(
        name=f"{came_from} as {name}" if came_from and came_from != name else name,
        address=socket.gethostname(),
    )


def _user() -> str:
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # a container's user may have a number only
        return str(number)
