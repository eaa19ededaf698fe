from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from app.config import Settings
from scripts.stack.environment import process_environment, render, settings_of, write_env_file
from scripts.stack.failures import StackError
from scripts.stack.ports import choose_ports
from scripts.stack.state import State, load_state, prepare_state

# What README and clients rely on.
PROMISED = {
    *("FACEQUEUE_URL", "FACEQUEUE_API_KEY", "FLOWER_URL", "DATABASE_URL", "CELERY_BROKER_URL"),
    *("AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "AWS_STORAGE_BUCKET_NAME",
}


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = prepare_state(tmp_path / "stack")
    choose_ports(state)
    state.facts |= {"tenant_id": "t", "api_key": "k"}
    state.save()
    return state


def test_the_file_to_source_has_every_promised_name(state: State) -> None:
    write_env_file(state)
    shell = f". '{state.env_file}'; env"
    shown = subprocess.run(  # noqa: S603 - a file that we wrote
        ["/bin/sh", "-c", shell], env={}, capture_output=True, text=True, check=True
    )
    names = {line.partition("=")[0] for line in shown.stdout.splitlines()}

    assert names >= PROMISED


def test_values_survive_the_shell_whatever_is_in_them() -> None:
    shell = render({"ODD": "a b'c\"d$HOME`x`"}) + 'printf %s "$ODD"'
    shown = subprocess.run(  # noqa: S603 - a line that we wrote
        ["/bin/sh", "-c", shell], capture_output=True, text=True, check=True
    )

    assert shown.stdout == "a b'c\"d$HOME`x`"


def test_every_required_setting_of_the_application_is_given(state: State) -> None:
    required = {name.upper() for name, item in Settings.model_fields.items() if item.is_required()}

    assert required <= settings_of(state).keys()


@pytest.mark.parametrize("name", ["stack.json", "env"])
def test_only_the_owner_may_read_secrets(state: State, name: str) -> None:
    write_env_file(state)

    assert stat.S_IMODE((state.folder / name).stat().st_mode) == 0o600


def test_secrets_are_generated_and_then_kept(state: State, tmp_path: Path) -> None:
    again, other = prepare_state(state.folder), prepare_state(tmp_path / "other")

    assert again.secrets == state.secrets
    assert not set(state.secrets.values()) & set(other.secrets.values())


def test_ports_are_chosen_once(state: State) -> None:
    again = load_state(state.folder)
    choose_ports(again)

    assert again.ports == state.ports
    assert len(set(state.ports.values())) == len(state.ports)


def test_what_the_caller_has_set_for_something_else_does_not_reach_our_processes(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/")

    environment = process_environment(state)

    assert "AWS_PROFILE" not in environment
    assert environment["DATABASE_URL"] == settings_of(state)["DATABASE_URL"]


@pytest.mark.parametrize("name", ["50%", "a,b", "a;b", "it's", 'say "x"', "a#b"])
def test_a_folder_whose_name_would_break_configuration_files_is_refused(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(StackError, match="Move the repository"):
        prepare_state(tmp_path / name)
