"""Use cases: heads of audit chains are signed, and what was signed is kept in S3 too."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from flask import current_app
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from app.adapters.checkpoint_keys import CheckpointSigner
from app.adapters.s3 import ObjectStore
from app.config import Settings
from app.database.transactions import queue_transaction
from app.domain.audit_checkpoint import Checkpoint, Head
from app.domain.errors import ConfigurationError
from app.domain.identifiers import new_id
from app.domain.item_errors import StorageUnavailable
from app.domain.storage import ObjectLocation
from app.models.audit_chain import AuditChain, AuditCheckpoint

_BATCH = 1000
_LINES_TYPE = "application/jsonl"
_LOCK = text("SELECT pg_advisory_xact_lock(:lock)").bindparams(lock=0x_FACE_0004)


def make_checkpoints() -> int:
    """Sign the head of every chain that has grown since its last checkpoint.

    Returns:
        How many checkpoints it has made.

    Raises:
        ConfigurationError: AUDIT_SIGNING_KEY is not set.
    """
    signer = CheckpointSigner.from_settings(_settings())
    total, after = 0, None
    while True:
        with queue_transaction() as session:
            session.execute(_LOCK)
            chains = _grown(session, after)
            session.add_all(_row(signer.sign(_head(chain))) for chain in chains)
            session.flush()
        total += len(chains)
        if len(chains) < _BATCH:
            return total
        after = chains[-1].tenant_id


def export_checkpoints() -> int:
    """Write checkpoints that are not in S3 yet to AUDIT_CHECKPOINT_BUCKET, a file a batch.

    A crash between a file and the note of it makes the batch be written again, which does no harm.

    Returns:
        How many checkpoints it has written; 0 where no bucket is set.

    Raises:
        Unavailable: S3 did not take a file; what it lacks is written next time.
    """
    place = _place(_settings())
    if place is None:
        return 0
    total = 0
    while True:
        with queue_transaction() as session:
            session.execute(_LOCK)
            rows = _unexported(session)
            if rows:
                _write_file(place, rows)
                _note_export(session, [row.id for row in rows])
        total += len(rows)
        if len(rows) < _BATCH:
            return total


def exported_checkpoints() -> Iterator[Checkpoint]:
    """Read back every checkpoint of AUDIT_CHECKPOINT_BUCKET; none where no bucket is set.

    Raises:
        StorageUnavailable: S3 did not deliver them all, or a line of a file is no checkpoint.
    """
    place = _place(_settings())
    if place is None:
        return
    store = ObjectStore.from_settings(_settings())
    for key in store.keys(place):
        for line in store.read(ObjectLocation(place.bucket, key)).splitlines():
            try:
                yield Checkpoint.parse(line)
            except ValueError as error:
                raise StorageUnavailable(
                    f"s3://{place.bucket}/{key} is damaged: {error}"
                ) from error


def as_checkpoint(row: AuditCheckpoint) -> Checkpoint:
    """What a row of the table says."""
    head = Head(row.tenant_id, row.chain_no, bytes(row.chain_hash), row.created_at)
    return Checkpoint(head, row.signed_by, bytes(row.signature))


def public_key() -> str:
    """The public key of the configuration's signing key, in base64.

    Raises:
        ConfigurationError: AUDIT_SIGNING_KEY is not set.
    """
    return CheckpointSigner.from_settings(_settings()).public_key


def _grown(session: Session, after: UUID | None) -> Sequence[AuditChain]:
    signed = (
        select(func.coalesce(func.max(AuditCheckpoint.chain_no), 0))
        .where(AuditCheckpoint.tenant_id == AuditChain.tenant_id)
        .scalar_subquery()
    )
    query = select(AuditChain).where(AuditChain.head_no > signed)
    if after is not None:
        query = query.where(AuditChain.tenant_id > after)
    return session.scalars(query.order_by(AuditChain.tenant_id).limit(_BATCH)).all()


def _head(chain: AuditChain) -> Head:
    now = dt.datetime.now(dt.UTC)
    return Head(chain.tenant_id, chain.head_no, bytes(chain.head_hash), now)


def _row(checkpoint: Checkpoint) -> AuditCheckpoint:
    head = checkpoint.head
    return AuditCheckpoint(
        id=new_id(),
        tenant_id=head.tenant_id,
        chain_no=head.chain_no,
        chain_hash=head.chain_hash,
        created_at=head.created_at,
        signed_by=checkpoint.signed_by,
        signature=checkpoint.signature,
    )


def _unexported(session: Session) -> Sequence[AuditCheckpoint]:
    query = select(AuditCheckpoint).where(AuditCheckpoint.exported_at.is_(None))
    return session.scalars(query.order_by(AuditCheckpoint.id).limit(_BATCH)).all()


def _write_file(place: ObjectLocation, rows: Iterable[AuditCheckpoint]) -> None:
    lines = b"".join(as_checkpoint(row).line() for row in rows)
    name = f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}-{new_id()}.jsonl"
    location = ObjectLocation(place.bucket, place.key + name)
    ObjectStore.from_settings(_settings()).write(location, lines, _LINES_TYPE)


def _note_export(session: Session, ids: Sequence[UUID]) -> None:
    noted = update(AuditCheckpoint).where(AuditCheckpoint.id.in_(ids))
    session.execute(
        noted.values(exported_at=func.now()).execution_options(synchronize_session=False)
    )


def _place(settings: Settings) -> ObjectLocation | None:
    text_ = settings.audit_checkpoint_bucket
    if text_ is None:
        return None
    bucket, _, prefix = text_.removeprefix("s3://").partition("/")
    if not bucket:
        raise ConfigurationError("AUDIT_CHECKPOINT_BUCKET is not of the form s3://bucket/prefix")
    return ObjectLocation(bucket, prefix.rstrip("/") + "/" if prefix.strip("/") else "")


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings
