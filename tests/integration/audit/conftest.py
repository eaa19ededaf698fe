"""A tenant with events, and what an owner of the database could do to them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Row, text

from app.config import Settings
from app.database.transactions import owner_transaction, tenant_transaction
from app.domain.actor import Actor
from app.domain.audit_report import BadEvent
from app.domain.identifiers import new_id
from app.services.tenancy.record_audit import record_audit
from app.services.upkeep.audit_backlog import audit_backlog
from app.services.upkeep.chain_audit import chain_events
from app.services.upkeep.verify_audit import verify_audit
from tests.support.processes import wait_until

SIGNING_KEY = base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = base64.b64encode(bytes(range(1, 33))).decode()


@dataclass(frozen=True)
class Log:
    """The audit log of one tenant, which need not exist."""

    tenant_id: UUID

    def write(self, count: int = 1, *, action: str = "test.done") -> None:
        """Write events, each in a transaction of its own."""
        for number in range(count):
            with tenant_transaction(self.tenant_id) as session:
                actor = Actor(request_id=f"request-{number}", address="192.0.2.1")
                detail = {"number": number, "share": 0.5, "names": ["ä", '"']}
                record_audit(session, self.tenant_id, actor, action, "test", new_id(), detail)

    def rows(self) -> list[Row[Any]]:
        """The events in the order of the chain, those without a place last."""
        return self.query(
            "SELECT * FROM audit_events WHERE tenant_id = :tenant ORDER BY chain_no, id"
        )

    def numbers(self) -> list[int | None]:
        return [row.chain_no for row in self.rows()]

    def query(self, statement: str, **parameters: object) -> list[Row[Any]]:
        """Do something as the owner, who may do everything."""
        with owner_transaction() as session:
            done = session.execute(text(statement), {"tenant": self.tenant_id, **parameters})
            return list(done.all()) if done.returns_rows else []

    def first_bad(self) -> BadEvent | None:
        bad = verify_audit(self.tenant_id).bad
        return bad[0] if bad else None


def chain_all() -> None:
    """Chain until nothing waits: another test's open transaction may hold events back."""

    def nothing_waits() -> bool:
        chain_events()
        return audit_backlog()[0] == 0

    wait_until(nothing_waits, what="every event's place in the chain")


@pytest.fixture
def log(app: Flask) -> Log:
    del app
    return Log(new_id())


@pytest.fixture
def chained(log: Log) -> Log:
    """Six events in the chain."""
    log.write(6)
    chain_all()
    return log


@pytest.fixture
def signing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Checkpoints are signed, with a key that the test knows."""
    return configure(app, monkeypatch, audit_signing_key=SIGNING_KEY)


def configure(app: Flask, monkeypatch: pytest.MonkeyPatch, **changes: object) -> Settings:
    settings: Settings = app.config["SETTINGS"].model_copy(update=changes)
    monkeypatch.setitem(app.config, "SETTINGS", settings)
    return settings
