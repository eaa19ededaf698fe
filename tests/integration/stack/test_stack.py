from __future__ import annotations

import os
import signal
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
import redis
import requests

from scripts.stack import lifecycle, object_store, postgres, supervision
from scripts.stack.environment import BUCKET, database_url, redis_url
from scripts.stack.state import ROOT, State
from tests.support.processes import wait_until

# One stack of its own, in a place where PostgreSQL's user may not go when we are root.
pytestmark = pytest.mark.xdist_group("stack")

# What comes before the first object in a volume's file.
_SUPER_BLOCK = 8


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    folder = tmp_path_factory.mktemp("stack") / "a folder with spaces"
    try:
        yield lifecycle.up(folder, everything=False, report=lambda _: None)
    finally:
        lifecycle.reset(folder)


@pytest.fixture
def state(own: State) -> State:
    return lifecycle.up(own.folder, everything=False, report=lambda _: None)


def query(state: State, role: str, statement: str) -> list[tuple[object, ...]]:
    url = database_url(state, role).replace("+psycopg2", "")
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


@pytest.mark.parametrize("role", ["app", "queue", "owner"])
def test_each_role_can_log_in_and_none_may_skip_row_level_security(state: State, role: str) -> None:
    [row] = query(
        state,
        role,
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb"
        " FROM pg_roles WHERE rolname = current_user",
    )

    assert row == (f"facequeue_{role}", False, False, False, False)


def test_the_owner_owns_the_database_and_has_the_vector_type(state: State) -> None:
    assert query(state, "owner", "SELECT '[1,2]'::halfvec::text") == [("[1,2]",)]
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
    assert query(state, "owner", owner) == [("facequeue_owner",)]


def test_a_wrong_password_is_refused(state: State) -> None:
    url = database_url(state, "app").replace("+psycopg2", "")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(url.replace(state.secrets["app_password"], "wrong"))


def test_redis_keeps_what_it_took_and_evicts_nothing(state: State) -> None:
    with redis.Redis.from_url(redis_url(state, 0), decode_responses=True) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=state.ports["redis"]).ping()


def test_the_other_servers_of_s3_show_no_object_to_who_has_no_key(state: State) -> None:
    s3 = object_store.client(state)
    s3.put_object(Bucket=BUCKET, Key="secret", Body=b"x" * 100_000)
    places = {
        "s3": f"/{BUCKET}/secret",
        "s3_filer": f"/buckets/{BUCKET}/secret",
        "s3_master": f"/dir/lookup?fileId={a_needle(state)}&read=yes",
        "s3_volume": f"/{a_needle(state)}",
    }

    answers = {
        name: requests.get(f"http://127.0.0.1:{state.ports[name]}{path}", timeout=10)
        for name, path in places.items()
    }

    assert {name: answer.status_code for name, answer in answers.items()} == {
        "s3": 403,
        "s3_filer": 404,
        "s3_master": 404,
        "s3_volume": 401,
    }
    assert not any(answer.headers.get("Authorization") for answer in answers.values())


def test_the_other_servers_of_s3_take_nothing_from_who_has_no_key(state: State) -> None:
    places = {
        "s3_filer": f"/buckets/{BUCKET}/planted",
        "s3_master": "/submit",
        "s3_volume": f"/{a_needle(state)}",
    }

    answers = {
        name: requests.post(
            f"http://127.0.0.1:{state.ports[name]}{path}", files={"file": b"1"}, timeout=10
        ).status_code
        for name, path in places.items()
    }

    assert answers == {"s3_filer": 404, "s3_master": 404, "s3_volume": 401}


def a_needle(state: State) -> str:
    """The address of an object's bytes on the volume server, read from the disk: the first one."""
    object_store.client(state).put_object(Bucket=BUCKET, Key="needle", Body=b"y" * 100_000)
    volumes = (state.folder / "s3").glob(f"{BUCKET}_*.dat")
    full = next(path for path in volumes if path.stat().st_size > _SUPER_BLOCK)
    cookie, key = struct.unpack(">IQ", full.read_bytes()[_SUPER_BLOCK:][:12])
    return f"{full.stem.rpartition('_')[2]},{key:x}{cookie:08x}"


def test_s3_asks_for_the_key(state: State) -> None:
    s3 = object_store.client(state)
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"1")
    stranger = State(state.folder, state.ports, {**state.secrets, "s3_secret_key": "wrong"})

    assert s3.get_object(Bucket=BUCKET, Key="a")["Body"].read() == b"1"
    with pytest.raises(Exception, match="SignatureDoesNotMatch"):
        object_store.client(stranger).get_object(Bucket=BUCKET, Key="a")


@pytest.mark.parametrize("name", ["stack.json", "env", "supervisord.conf", "redis.conf", "s3.json"])
def test_files_with_secrets_are_the_owners_alone(state: State, name: str) -> None:
    assert stat.S_IMODE((state.folder / name).stat().st_mode) == 0o600


def test_no_secret_shows_in_the_list_of_processes(state: State) -> None:
    shown = [" ".join(process.cmdline()) for process in supervision.strays(state)]

    assert len(shown) >= 3
    assert not [line for line in shown if any(s in line for s in state.secrets.values())]


def test_starting_what_runs_changes_nothing(state: State) -> None:
    before = {item["name"]: item["pid"] for item in supervision.processes(state)}
    lifecycle.up(state.folder, everything=False, report=lambda _: None)

    assert {item["name"]: item["pid"] for item in supervision.processes(state)} == before


def test_a_killed_database_comes_back_with_what_it_had(state: State) -> None:
    before = supervision.process(state, "postgres")["pid"]
    os.kill(before, signal.SIGKILL)

    def is_back() -> bool:
        return supervision.process(state, "postgres")["pid"] not in {0, before} and (
            postgres.is_ready(state)
        )

    wait_until(is_back, seconds=30, what="PostgreSQL's return")
    assert query(state, "app", "SELECT 1") == [(1,)]


def test_what_a_killed_supervisor_leaves_behind_can_be_stopped(state: State) -> None:
    os.kill(supervision.connect(state).getPID(), signal.SIGKILL)
    wait_until(lambda: not supervision.is_running(state), what="the supervisor's death")
    assert supervision.strays(state)

    lifecycle.down(state.folder)

    assert supervision.strays(state) == []


def test_a_stopped_stack_leaves_no_socket_outside_of_its_folder(state: State) -> None:
    parts = {"s3": "s3", "filer": "s3_filer", "master": "s3_master", "volume": "s3_volume"}
    sockets = [
        Path(f"/tmp/seaweedfs-{part}-grpc-{state.ports[name] + 10_000}.sock")  # noqa: S108 - its choice
        for part, name in parts.items()
    ]
    assert any(socket.exists() for socket in sockets)

    lifecycle.down(state.folder)

    assert [socket for socket in sockets if socket.exists()] == []


def test_the_whole_quickstart_finds_the_known_and_not_the_stranger(
    state: State, portraits: Path, models_dir: Path
) -> None:
    del portraits, models_dir  # fetched before the clock runs
    command = [sys.executable, "-m", "scripts.demo", "--once", "--state", str(state.folder)]
    shown = subprocess.run(  # noqa: S603 - our own command
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "11 of 11 right, 0 missed, 0 named wrongly." in shown.stdout
    assert "signature verified" in shown.stdout
    assert supervision.strays(state) == []
