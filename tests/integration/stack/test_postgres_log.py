"""What the database server writes down about an ordinary refusal: that there was one, no values."""

from __future__ import annotations

from contextlib import closing
from uuid import uuid4

import psycopg2
import pytest
from flask import Flask

from scripts.stack.environment import database_url
from scripts.stack.state import State
from tests.factories.callers import Caller, make_caller
from tests.support.processes import wait_until

pytestmark = pytest.mark.stack

ROLES = ("owner", "app", "queue")
QUIET = {
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


@pytest.fixture
def api(app: Flask) -> Caller:
    return make_caller(app)


def test_a_duplicate_external_id_leaves_a_line_without_it(api: Caller, services: State) -> None:
    log = services.logs / "postgres.log"
    refused = 'violates unique constraint "uq_subjects'
    before = log.read_text(errors="replace").count(refused)
    made = api.post("/collections", json={"name": "c"}).get_json()
    name = f"ada.lovelace.{uuid4()}@example.org"

    answers = [
        api.post(f"/collections/{made['id']}/subjects", json={"external_id": name})
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [201, 409]
    wait_until(lambda: log.read_text(errors="replace").count(refused) > before, what="a line of it")
    assert name not in log.read_text(errors="replace")


@pytest.mark.parametrize("role", ROLES)
def test_each_role_is_told_so_by_the_file_that_production_uses(services: State, role: str) -> None:
    url = database_url(services, "superuser").replace("+psycopg2", "")
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        query = "SELECT unnest(rolconfig) FROM pg_roles WHERE rolname = %s"
        cursor.execute(query, [f"facequeue_{role}"])
        found = dict(row[0].split("=", 1) for row in cursor.fetchall())

    assert QUIET.items() <= found.items()
