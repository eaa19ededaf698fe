from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from app.config import Settings

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [
    README,
    *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md")),
    *(ROOT / "docs").glob("*.md"),
]


def default_of(name: str) -> str:
    value = Settings.model_fields[name].get_default()
    if value is PydanticUndefined:
        return "required"
    if value is None or value == ():
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def settings_table() -> str:
    """The table as it follows from the settings."""
    rows = [
        f"| `{name.upper()}` | {default_of(name)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows])


def test_the_configuration_table_is_that_of_the_settings() -> None:
    text = README.read_text()
    table = text.split("<!-- settings -->\n")[1].split("<!-- end of settings -->")[0].strip()

    assert table == settings_table(), f"paste this into README.md:\n\n{settings_table()}\n"


def test_every_setting_is_read_by_something() -> None:
    readers = [*(ROOT / "app").rglob("*.py"), *(ROOT / "workers").rglob("*.py")]
    readers += (ROOT / "scripts/keeping").rglob("*.py")
    readers += [*(ROOT / "deploy/systemd").rglob("*.service"), ROOT / "deploy/gunicorn.conf.py"]
    text = "\n".join(path.read_text() for path in readers)

    idle = {
        name.upper()
        for name in Settings.model_fields
        if not re.search(rf"\.{name}\b|\b{name.upper()}\b", text)
    }

    assert idle == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    missing = [target for target in targets if not (page.parent / target).exists()]

    assert missing == []


def test_every_page_is_linked_from_the_readme() -> None:
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}

    assert pages - set(re.findall(r"\]\(([^)#]+)", README.read_text())) == set()


@pytest.mark.parametrize("script", ["scripts/quickstart.sh", "scripts/test.sh"])
def test_the_two_commands_explain_themselves(script: str) -> None:
    assert f"./{script}" in README.read_text()
    assert os.access(ROOT / script, os.X_OK)
    shown = subprocess.run(  # noqa: S603 - our own script
        [ROOT / script, "--help"], capture_output=True, text=True, check=True
    )
    assert shown.stdout
