"""What beat fires: the log is chained and signed by itself, once a turn."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from app.config import Settings
from app.database.transactions import owner_transaction
from app.services.upkeep.checkpoint_audit import exported_checkpoints
from tests.integration.audit.conftest import Log, configure
from tests.support.processes import wait_until
from workers.tasks.audit import audit_chain, audit_checkpoint

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
def _turns(app: Flask) -> None:
    del app
    free_turns()


def free_turns() -> None:
    with owner_transaction() as session:
        session.execute(text("DELETE FROM chore_turns"))


def test_a_firing_chains_and_the_next_one_waits_for_its_turn(log: Log) -> None:
    log.write()

    def chained() -> bool:
        free_turns()
        audit_chain()
        return log.numbers() == [1]

    wait_until(chained, what="the chore's chaining")
    log.write()
    audit_chain()
    assert log.numbers() == [1, None]


@pytest.mark.usefixtures("chained")
def test_a_firing_signs_and_exports(
    app: Flask, log: Log, signing: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"s3://{signing.aws_storage_bucket_name}/chore/{log.tenant_id}/"
    configure(app, monkeypatch, audit_checkpoint_bucket="s3://no-such-bucket/")
    audit_checkpoint()  # S3 does not take it: no failure, it comes with the next chaining
    configure(app, monkeypatch, audit_checkpoint_bucket=place)
    audit_chain()

    assert log.tenant_id in {one.head.tenant_id for one in exported_checkpoints()}


def test_without_a_key_nothing_is_signed(
    app: Flask, chained: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(app, monkeypatch, audit_signing_key=None)

    audit_checkpoint()

    rows = chained.query("SELECT 1 FROM audit_checkpoints WHERE tenant_id = :tenant")
    assert rows == []
