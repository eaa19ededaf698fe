"""How a keeping script says that it cannot go on."""

from __future__ import annotations

from click import ClickException

# What each script's --help says of its exit status.
EXIT_CODES = """
\b
Exit status:
  0  done
  1  failed; what was there before is as it was
  2  the command line is wrong
  3  refused: something must be decided or done first, and the message says what
"""


class KeepingError(ClickException):
    """It failed; one line says why, and what to do next."""


class Refused(KeepingError):
    """Nothing was done: the operator must decide or prepare something first."""

    exit_code = 3
