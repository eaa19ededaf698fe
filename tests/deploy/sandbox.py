"""Runs a command with the system calls that a unit of deploy/systemd allows, as systemd would.

`python -m tests.deploy.sandbox CALLS yes|no COMMAND…`: CALLS is a file of the names of what is
allowed; all else fails with EPERM. `yes` refuses memory that is written and executed.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

_ALLOW = 0x7FFF0000
_FAIL = 0x00050000
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_MDWE = 65


def deny_executable_writes() -> None:
    """MemoryDenyWriteExecute=yes, by the kernel's own means.

    Raises:
        OSError: the kernel has none (they came with 6.3).
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_MDWE, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_MDWE")


def allow_only(calls: list[str]) -> None:
    """SystemCallFilter=, with SystemCallErrorNumber=EPERM."""
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    filter_ = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(_FAIL | errno.EPERM)))
    for name in calls:
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:  # others are of other machines
            seccomp.seccomp_rule_add_array(filter_, ctypes.c_uint32(_ALLOW), number, 0, None)
    ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if seccomp.seccomp_load(filter_) != 0:
        raise OSError("the filter was not loaded")


def main() -> None:
    """Become the command, shut in."""
    calls, memory, *command = sys.argv[1:]
    if memory == "yes":
        deny_executable_writes()
    allow_only(Path(calls).read_text().split())
    os.execvp(command[0], command)  # noqa: S606 - a test's own command


if __name__ == "__main__":
    main()
