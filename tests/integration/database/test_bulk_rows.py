"""Rows that travel by binary COPY arrive as they were sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.database.bulk_rows import BulkTable
from app.database.transactions import tenant_transaction
from tests.factories.tenants import make_tenant

pytestmark = pytest.mark.stack

VALUES: dict[str, Any] = {
    "boolean": False,
    "smallint": -7,
    "integer": 2**31 - 1,
    "real": 0.5,
    "double precision": 1e-300,
    "text": "Zoë\n\t\\N",
    "bytea": b"\x00\xff",
    "uuid": UUID("01a20dca-5cf3-7136-9846-9ac40c7e2ab7"),
    "jsonb": {"similarity": 0.61, "subject": "ü"},
    "integer[]": [1, -2, 3],
    "real[]": [0.25, -1.5],
    "halfvec": "[0.5,-0.25,0.125]",
}
NUMBERS = BulkTable("bulk_numbers", {"number": "integer"})


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    del app
    with tenant_transaction(make_tenant().id) as session:
        yield session


@pytest.mark.parametrize("kind", VALUES)
def test_a_value_of_each_type_arrives_as_it_was(session: Session, kind: str) -> None:
    table = BulkTable(f"bulk_{[*VALUES].index(kind)}", {"value": kind})
    sent = [0.5, -0.25, 0.125] if kind == "halfvec" else VALUES[kind]

    table.fill(session, [{"value": sent}])

    read = "value::text" if kind == "halfvec" else "value"
    arrived = session.execute(text(f"SELECT {read} FROM {table.name}")).scalar_one()
    assert (bytes(arrived) if kind == "bytea" else arrived) == VALUES[kind]


def test_an_absent_value_is_null(session: Session) -> None:
    NUMBERS.fill(session, [{"number": None}, {}])

    assert numbers(session) == [None, None]


def test_filled_again_it_holds_the_new_rows_only(session: Session) -> None:
    NUMBERS.fill(session, [{"number": 1}])
    NUMBERS.fill(session, [{"number": 2}])

    assert numbers(session) == [2]


def test_the_rows_go_with_their_transaction(app: Flask) -> None:
    del app
    tenant_id = make_tenant().id
    with tenant_transaction(tenant_id) as session:
        NUMBERS.fill(session, [{"number": 1}])

    with tenant_transaction(tenant_id) as session:
        NUMBERS.fill(session, [])
        assert numbers(session) == []


def numbers(session: Session) -> list[int | None]:
    return list(session.scalars(text("SELECT number FROM bulk_numbers")))
