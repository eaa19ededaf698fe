"""Signed heads: a chain that was rewritten whole, hashes and all, is still found."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from flask import Flask

from app.adapters.s3 import ObjectStore
from app.config import Settings
from app.database.transactions import queue_transaction
from app.domain.audit_chain import GENESIS, link_hash
from app.domain.item_errors import StorageUnavailable
from app.domain.request_errors import Unavailable
from app.domain.storage import ObjectLocation
from app.queries.audit_chain import chained_events
from app.services.upkeep.checkpoint_audit import (
    export_checkpoints,
    exported_checkpoints,
    make_checkpoints,
    public_key,
)
from tests.integration.audit.conftest import OTHER_KEY, Log, chain_all, configure

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("signing")]

OWN = "tenant_id = :tenant"


@pytest.fixture
def bucket(
    app: Flask, log: Log, signing: Settings, monkeypatch: pytest.MonkeyPatch
) -> ObjectLocation:
    place = ObjectLocation(signing.aws_storage_bucket_name, f"checkpoints/{log.tenant_id}/")
    configure(app, monkeypatch, audit_checkpoint_bucket=str(place))
    return place


def rewrite(log: Log) -> None:
    """Change the second event and all that follows from it, as an owner of the database may."""
    log.query(f"UPDATE audit_events SET action = 'nothing.happened' WHERE {OWN} AND chain_no = 2")
    last = GENESIS
    with queue_transaction() as session:
        events = [row for page in chained_events(session, log.tenant_id, 100) for row in page]
    for event in events:
        last = link_hash(last, event.chain_no, event)
        log.query(
            "UPDATE audit_events SET chain_hash = :hash WHERE id = :id", hash=last, id=event.id
        )
    log.query(f"UPDATE audit_chains SET head_hash = :hash WHERE {OWN}", hash=last)


def test_without_a_checkpoint_a_rewritten_chain_is_whole(chained: Log) -> None:
    rewrite(chained)

    assert chained.first_bad() is None


def test_a_rewritten_chain_is_not_the_one_that_was_signed(chained: Log) -> None:
    make_checkpoints()
    chained.write(2)
    chain_all()
    assert chained.first_bad() is None

    rewrite(chained)

    bad = chained.first_bad()
    assert bad is not None
    assert (bad.problem, bad.chain_no) == ("rewritten", 6)


def test_a_shortened_chain_is_not_the_one_that_was_signed(chained: Log) -> None:
    make_checkpoints()
    fifth = chained.rows()[4]
    chained.query(f"DELETE FROM audit_events WHERE {OWN} AND chain_no = 6")
    chained.query(
        f"UPDATE audit_chains SET head_no = 5, head_hash = :hash WHERE {OWN}",
        hash=bytes(fifth.chain_hash),
    )

    bad = chained.first_bad()

    assert bad is not None
    assert (bad.problem, bad.chain_no) == ("missing", 6)


def test_only_chains_that_grew_get_another_checkpoint(chained: Log) -> None:
    make_checkpoints()
    assert make_checkpoints() == 0

    chained.write()
    chain_all()

    assert make_checkpoints() == 1
    counts = chained.query(f"SELECT count(*) AS n FROM audit_checkpoints WHERE {OWN}")
    assert counts[0].n == 2


def test_checkpoints_of_s3_are_checked_when_those_of_the_database_are_gone(
    chained: Log, bucket: ObjectLocation
) -> None:
    make_checkpoints()
    assert export_checkpoints() >= 1
    rewrite(chained)
    chained.query(f"DELETE FROM audit_checkpoints WHERE {OWN}")

    bad = chained.first_bad()

    assert bucket.key
    assert bad is not None
    assert (bad.problem, bad.chain_no) == ("rewritten", 6)


def test_a_tenant_whose_rows_are_all_gone_is_known_from_s3(
    chained: Log, bucket: ObjectLocation
) -> None:
    make_checkpoints()
    export_checkpoints()
    for table in ("audit_events", "audit_chains", "audit_checkpoints"):
        chained.query(f"DELETE FROM {table} WHERE {OWN}")

    bad = chained.first_bad()

    assert bucket.key
    assert bad is not None
    assert (bad.problem, bad.chain_no) == ("missing", 1)


def test_a_checkpoint_is_exported_once(chained: Log, bucket: ObjectLocation) -> None:
    make_checkpoints()
    export_checkpoints()
    assert export_checkpoints() == 0

    own = [one for one in exported_checkpoints() if one.head.tenant_id == chained.tenant_id]
    assert bucket.key
    assert [one.head.chain_no for one in own] == [6]


def test_what_s3_does_not_take_is_exported_next_time(
    app: Flask, chained: Log, bucket: ObjectLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_checkpoints()
    configure(app, monkeypatch, audit_checkpoint_bucket="s3://no-such-bucket/")
    with pytest.raises(Unavailable):
        export_checkpoints()

    configure(app, monkeypatch, audit_checkpoint_bucket=str(bucket))

    assert export_checkpoints() >= 1
    assert chained.tenant_id in {one.head.tenant_id for one in exported_checkpoints()}


def test_a_damaged_file_in_s3_is_told(app: Flask, chained: Log, bucket: ObjectLocation) -> None:
    store = ObjectStore.from_settings(app.config["SETTINGS"])
    store.write(ObjectLocation(bucket.bucket, bucket.key + "x.jsonl"), b"nonsense\n", "text/plain")

    with pytest.raises(StorageUnavailable, match=r"x\.jsonl is damaged"):
        chained.first_bad()


def test_a_checkpoint_of_another_key_is_not_believed(
    app: Flask, chained: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    rightful = public_key()
    make_checkpoints()
    configure(app, monkeypatch, audit_signing_key=OTHER_KEY)

    bad = chained.first_bad()

    assert bad is not None
    assert bad.problem == "checkpoint"
    configure(app, monkeypatch, audit_signing_key=None, audit_verify_keys=(rightful,))
    assert chained.first_bad() is None


def test_a_checkpoint_that_was_changed_is_not_believed(chained: Log) -> None:
    make_checkpoints()
    rewrite(chained)
    chained.query(
        "UPDATE audit_checkpoints SET chain_hash = "
        f"(SELECT head_hash FROM audit_chains WHERE {OWN}) WHERE {OWN}"
    )

    bad = chained.first_bad()

    assert bad is not None
    assert bad.problem == "checkpoint"


def test_others_can_check_an_exported_line_as_documented(
    app: Flask, chained: Log, bucket: ObjectLocation
) -> None:
    make_checkpoints()
    export_checkpoints()
    store = ObjectStore.from_settings(app.config["SETTINGS"])
    [key] = store.keys(bucket)
    lines = store.read(ObjectLocation(bucket.bucket, key)).splitlines()
    [line] = [one for one in map(json.loads, lines) if one["tenant_id"] == str(chained.tenant_id)]

    signature = base64.b64decode(line.pop("signature"))
    signed_by = line.pop("signed_by")
    statement = json.dumps(line, sort_keys=True, separators=(",", ":")).encode()
    key_bytes = base64.b64decode(public_key())

    assert signed_by == hashlib.sha256(key_bytes).hexdigest()[:16]
    trusted = Ed25519PublicKey.from_public_bytes(key_bytes)
    trusted.verify(signature, statement)
    with pytest.raises(InvalidSignature):
        trusted.verify(signature, statement.replace(b'"chain_no":6', b'"chain_no":7'))


def test_the_command_signs_and_exports(app: Flask, chained: Log, bucket: ObjectLocation) -> None:
    result = app.test_cli_runner().invoke(args=["audit", "checkpoint"])

    assert result.exit_code == 0
    assert bucket.key
    assert chained.tenant_id in {one.head.tenant_id for one in exported_checkpoints()}


def test_without_a_key_the_command_says_which_setting_is_missing(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(app, monkeypatch, audit_signing_key=None)

    result = app.test_cli_runner().invoke(args=["audit", "checkpoint"])

    assert result.exit_code == 1
    assert "AUDIT_SIGNING_KEY is not set" in result.stderr
