"""Who is heard at which level."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.logs import OURS, configure_logging

ROOT = Path(__file__).parents[3]
CHATTY = ("botocore.auth", "urllib3", "sqlalchemy.engine", "kombu", "celery.worker", "new.library")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    for name in (*OURS, *CHATTY):
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.mark.parametrize("name", ["app.services.x", "workers.dispatcher", "access", "__main__"])
def test_at_debug_our_own_loggers_are_heard(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("DEBUG")

    logging.getLogger(name).debug("our words")

    assert "our words" in capsys.readouterr().err


@pytest.mark.parametrize("name", CHATTY)
def test_at_debug_others_are_heard_from_info_on_whatever_they_choose(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("DEBUG")
    logging.getLogger(name).setLevel(logging.DEBUG)

    logging.getLogger(name).debug("a signed header")
    logging.getLogger(name).info("a connection")

    written = capsys.readouterr().err
    assert "a signed header" not in written
    assert "a connection" in written


def test_at_warning_nobody_is_heard_below_it(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("WARNING")

    for name in ("app.services.x", "botocore"):
        logging.getLogger(name).info("hello")

    assert capsys.readouterr().err == ""


def test_every_package_of_ours_is_listed() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}

    assert packages <= set(OURS)
