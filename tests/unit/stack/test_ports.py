from __future__ import annotations

import socket
from pathlib import Path

import pytest

from scripts.stack.failures import StackError
from scripts.stack.ports import choose_ports, is_free, refuse_taken
from scripts.stack.state import DEFAULT_STATE, State, load_state, prepare_state


def test_a_taken_port_is_named_with_a_way_out(tmp_path: Path) -> None:
    state = prepare_state(tmp_path / "stack")
    choose_ports(state)
    with (
        socket.create_server(("127.0.0.1", state.ports["api"])),
        pytest.raises(StackError, match=rf"Port {state.ports['api']} \(api\) is taken by") as e,
    ):
        refuse_taken(state, ("api",))

    assert "FACEQUEUE_PORT_API=N" in str(e.value)


def test_the_twin_of_an_s3_port_counts_too(tmp_path: Path) -> None:
    state = prepare_state(tmp_path / "stack")
    choose_ports(state)
    twin = state.ports["s3_filer"] + 10_000
    with socket.create_server(("127.0.0.1", twin)), pytest.raises(StackError, match=str(twin)):
        refuse_taken(state, ("s3_filer",))


def test_a_port_that_nobody_holds_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)


@pytest.mark.parametrize("wrong", ["http", "0", "-1", "60000"])
def test_a_port_asked_for_must_leave_room_for_its_twin(
    wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEQUEUE_PORT_S3", wrong)
    monkeypatch.setattr(State, "is_default", property(lambda _: True))
    state = prepare_state(tmp_path / "stack")

    with pytest.raises(StackError, match=f"FACEQUEUE_PORT_S3={wrong} is no port"):
        choose_ports(state)


def test_a_port_asked_for_twice_is_refused_and_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(State, "is_default", property(lambda _: True))
    state = prepare_state(tmp_path / "stack")
    choose_ports(state)
    monkeypatch.setenv("FACEQUEUE_PORT_API", str(state.ports["s3"]))

    with pytest.raises(StackError, match=f"Port {state.ports['s3']} is asked for both s3 and api"):
        choose_ports(load_state(state.folder))

    assert load_state(state.folder).ports == state.ports


def test_tests_never_take_the_ports_that_people_expect(tmp_path: Path) -> None:
    state = prepare_state(tmp_path / "stack")
    choose_ports(state)

    assert state.folder != DEFAULT_STATE
    assert 8000 not in state.ports.values()
