"""The printed configuration: the server really starts with it, and logs nobody's data."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.keeping.failures import KeepingError
from scripts.keeping.scratch_server import ScratchServer, scratch_server
from scripts.keeping.server import one, rows
from scripts.stack import postgres
from scripts.stack.state import ROOT

pytestmark = pytest.mark.xdist_group("keeping")

CONF = ROOT / "deploy/postgres/postgresql.conf"


def printed(*options: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, ROOT / "scripts/tune_postgres.py", *options],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.fixture
def server() -> Iterator[ScratchServer]:
    with scratch_server() as server:
        yield server


def use(server: ScratchServer, text: str, name: str = "facequeue.conf") -> None:
    """Put a configuration where the server reads it, as an operator does."""
    data = postgres.data_folder(server.state)
    folder = data / "conf.d"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    with (data / "postgresql.conf").open("a") as handle:
        handle.write("include_dir = 'conf.d'\n")
    for path in (folder, folder / name):
        path.chmod(0o755 if path.is_dir() else 0o644)


def test_the_file_in_deploy_is_what_is_printed_for_16_gb_and_8_cores() -> None:
    assert CONF.read_text() == printed("--memory", "16GB", "--cores", "8")


@pytest.mark.parametrize(
    ("memory", "cores", "options"),
    [("16GB", "8", ()), ("2048MB", "1", ("--archive",)), ("1GB", "2", ("--connections", "50"))],
)
def test_a_server_starts_with_what_is_printed(
    server: ScratchServer, memory: str, cores: str, options: tuple[str, ...]
) -> None:
    text = printed("--memory", memory, "--cores", cores, *options)
    use(server, text)

    server.start(own_options=False)

    with server.as_role("superuser").connect() as connection:
        told = "SELECT name, error FROM pg_file_settings WHERE sourcefile LIKE '%facequeue.conf'"
        found = rows(connection, f"{told} AND (error IS NOT NULL OR NOT applied)")
        taken = {str(row[0]) for row in rows(connection, told)}
        rows(connection, "CREATE EXTENSION pg_stat_statements")
        assert one(connection, "SELECT count(*) > 0 FROM pg_stat_statements")
    assert found == []
    assert taken == set(re.findall(r"^([a-z_.]+) = ", text, re.MULTILINE)) - {"include_if_exists"}


def test_a_server_takes_the_file_for_tls(server: ScratchServer) -> None:
    text = (ROOT / "deploy/postgres/tls.conf").read_text()
    use(server, text.replace("ssl = on\n", ""), "tls.conf")  # which this build refuses

    server.start(own_options=False)

    with server.as_role("superuser").connect() as connection:
        told = "SELECT name, applied, error FROM pg_file_settings WHERE sourcefile LIKE '%tls.conf'"
        found = {tuple(row) for row in rows(connection, told)}
    names = set(re.findall(r"^([a-z_]+) = ", text, re.MULTILINE))
    assert found == {(name, True, None) for name in names - {"ssl"}}


def test_the_log_quotes_neither_statements_nor_rows(server: ScratchServer) -> None:
    use(server, printed("--memory", "1GB", "--cores", "2"))
    server.start(own_options=False)

    with server.as_role("superuser").connect() as connection:
        rows(connection, "CREATE TABLE people (name text PRIMARY KEY)")
        rows(connection, "INSERT INTO people VALUES ('Jane Doe')")
        with pytest.raises(Exception, match="duplicate key"):
            rows(connection, "INSERT INTO people VALUES (%s)", "Jane Doe")
    server.stop()

    log = server.log.read_text()
    assert "duplicate key" in log
    assert "Jane" not in log


def test_the_example_of_pg_hba_has_no_error_and_lets_nobody_in_without_tls(
    server: ScratchServer,
) -> None:
    example = (ROOT / "deploy/postgres/pg_hba.conf").read_text()
    path = Path(postgres.data_folder(server.state), "pg_hba.conf")
    path.write_text("host all postgres 127.0.0.1/32 scram-sha-256\n" + example)
    server.start()

    with server.as_role("superuser").connect() as connection:
        errors = rows(
            connection, "SELECT line_number, error FROM pg_hba_file_rules WHERE error IS NOT NULL"
        )
        # This server is built without TLS, which is all that it may complain of.
        assert {str(error) for _, error in errors} <= {
            "hostssl record cannot match because SSL is not supported by this build",
            "hostssl record cannot match because SSL is disabled",
        }
    with (
        pytest.raises(KeepingError, match=r"pg_hba\.conf rejects"),
        server.as_role("app").connect(),
    ):
        pass
