from __future__ import annotations

import re

import pytest

from app.config import Settings
from scripts.stack.state import ROOT

LINES = re.findall(
    r"^(# )?([A-Z][A-Z0-9_]*)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE
)
OF_OTHER_PROGRAMS = {
    *("GUNICORN_BIND", "GUNICORN_FORWARDED_ALLOW_IPS", "FLOWER_BASIC_AUTH"),
    "METRICS_BIND",  # the exporter's, of hosts without an API
    "FACEQUEUE_SECRETS_DIR",  # says where settings lie, so it is none itself
}


def test_it_names_every_setting_once_and_no_other() -> None:
    names = [name for _, name, _ in LINES if name not in OF_OTHER_PROGRAMS]

    assert sorted(names) == sorted(name.upper() for name in Settings.model_fields)


def test_every_setting_without_a_default_is_there_to_be_filled_in() -> None:
    shown = {name for comment, name, _ in LINES if not comment}
    required = {name.upper() for name, item in Settings.model_fields.items() if item.is_required()}

    assert required <= shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (name, value)
        for comment, name, value in LINES
        if comment and value and name not in OF_OTHER_PROGRAMS
    ],
)
def test_what_is_commented_out_shows_the_default(name: str, value: str) -> None:
    default = Settings.model_fields[name.lower()].get_default()

    assert (
        value.lower()
        == str(int(default) if isinstance(default, float) and default >= 1 else default).lower()
    )


def test_it_holds_no_secret() -> None:
    filled = {name: value for _, name, value in LINES if value}

    assert all("PASSWORD@" in value for name, value in filled.items() if "URL" in name)
    secret = {"SECRET_KEY", "ENCRYPTION_KEYS", "AUDIT_SIGNING_KEY", "FLOWER_BASIC_AUTH"}
    assert not secret & filled.keys()
