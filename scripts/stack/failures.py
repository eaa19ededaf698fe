"""What goes wrong with the stack, in one line that says what to do."""

from __future__ import annotations


class StackError(Exception):
    """The stack cannot do what was asked; the message is one line for a person."""
