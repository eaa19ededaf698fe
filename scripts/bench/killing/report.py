"""Telling a person how a trial goes."""

from __future__ import annotations

import sys


def say(line: str) -> None:
    """Tell a person how it goes; standard output is the report's."""
    print(line, file=sys.stderr, flush=True)
