"""The job aggregate: a job, its items, and the shards in which its items are processed.

Below the tables, what is read of them together: a job's progress, an item's result.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Row,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REAL
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base, Created, Identified, TenantOwned


class Job(Identified, Created, Base):
    """One request to run one operation over 1..N images.

    The counters change in the transaction that closes the items they count, so they are right at
    every moment and cost nothing to read, whatever the size of the job.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        CheckConstraint("operation IN ('detect', 'enrol', 'identify', 'verify')", name="operation"),
        CheckConstraint("priority IN ('interactive', 'bulk')", name="priority"),
        Index(None, "tenant_id", "state", "id"),
        Index(None, "tenant_id", "operation", "id"),
        Index("ix_jobs_live", "expires_at", postgresql_where=text("finished_at IS NULL")),
        Index(None, "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
        Index(None, "collection_id", postgresql_where=text("collection_id IS NOT NULL")),
        Index(None, "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
        Index(
            None,
            "tenant_id",
            "collection_id",
            "id",
            postgresql_where=text("collection_id IS NOT NULL"),
        ),
        {"postgresql_partition_by": "RANGE (id)"},
    )

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    operation: Mapped[str]
    state: Mapped[str]
    priority: Mapped[str]
    collection_id: Mapped[UUID | None]
    model: Mapped[str]
    options: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", server_default="{}")
    webhook_endpoint_id: Mapped[UUID | None]
    notify_webhooks: Mapped[bool] = mapped_column(server_default="true")
    awaited: Mapped[bool] = mapped_column(server_default="false")
    total_items: Mapped[int]
    open_items: Mapped[int]
    succeeded_items: Mapped[int] = mapped_column(server_default="0")
    failed_items: Mapped[int] = mapped_column(server_default="0")
    canceled_items: Mapped[int] = mapped_column(server_default="0")
    errors_by_code: Mapped[dict[str, int]] = mapped_column(JSONB, server_default="{}")
    failure_code: Mapped[str | None]
    sealed_at: Mapped[dt.datetime | None]
    started_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime]
    deleted_at: Mapped[dt.datetime | None]
    redrive_of: Mapped[UUID | None]
    redriven_by: Mapped[list[UUID]] = mapped_column(ARRAY(PG_UUID), server_default="{}")


class Item(TenantOwned, Base):
    """One image of a job. A `pending` item of a canceled shard counts as canceled."""

    __tablename__ = "items"
    __table_args__ = (
        UniqueConstraint("job_id", "custom_id"),
        Index("ix_items_failed", "job_id", "seq", postgresql_where=text("state = 'failed'")),
        Index(None, "subject_id", postgresql_where=text("subject_id IS NOT NULL")),
        {"postgresql_partition_by": "RANGE (job_id)"},
    )

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    custom_id: Mapped[str]
    image_uri: Mapped[str]
    image_version: Mapped[str | None]
    reference_uri: Mapped[str | None]
    reference_version: Mapped[str | None]
    subject_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(server_default="pending")
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    decision: Mapped[str | None]
    similarity: Mapped[float | None] = mapped_column(REAL)
    fmr: Mapped[float | None]
    fmr_basis: Mapped[str | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    image_sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    engine: Mapped[str | None]
    pipeline: Mapped[str | None]
    finished_at: Mapped[dt.datetime | None]


class Shard(TenantOwned, Base):
    """A run of consecutive items that one task processes under one lease."""

    __tablename__ = "shards"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "job_id"],
            ["jobs.tenant_id", "jobs.id"],
            name="fk_shards_job",
            ondelete="CASCADE",
        ),
        Index(
            "ix_shards_pending",
            "model",
            "priority",
            "tenant_id",
            "job_id",
            "shard_no",
            postgresql_where=text("state = 'pending'"),
        ),
        Index(
            "ix_shards_hinted",
            "model",
            "hint_expires_at",
            postgresql_where=text("state = 'pending' AND hint_expires_at IS NOT NULL"),
        ),
        Index(
            "ix_shards_leased",
            "lease_instance",
            "leased_until",
            postgresql_where=text("state = 'leased'"),
        ),
        {"postgresql_partition_by": "RANGE (job_id)"},
    )

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    shard_no: Mapped[int] = mapped_column(primary_key=True)
    model: Mapped[str]
    priority: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="pending")
    first_seq: Mapped[int]
    item_count: Mapped[int]
    open_items: Mapped[int]
    hint_expires_at: Mapped[dt.datetime | None]
    lease_token: Mapped[int] = mapped_column(BigInteger, server_default="0")
    leased_until: Mapped[dt.datetime | None]
    lease_instance: Mapped[str | None]
    lease_pid: Mapped[int | None]
    attempt_count: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    isolated: Mapped[bool] = mapped_column(server_default="false")
    trial_seq: Mapped[int | None]
    trial_deaths: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    waits_for: Mapped[str | None]


@dataclass(frozen=True)
class JobProgress:
    """A job, and how many of its open items workers hold at this moment."""

    job: Job
    processing: int

    @property
    def counts(self) -> dict[str, int]:
        """Items by state; they add up to `total`."""
        return {
            "total": self.job.total_items,
            "pending": max(self.job.open_items - self.processing, 0),
            "processing": self.processing,
            "succeeded": self.job.succeeded_items,
            "failed": self.job.failed_items,
            "canceled": self.job.canceled_items,
        }


@dataclass(frozen=True)
class ItemResult:
    """An item's row, its state as the client sees it, and the rows of its faces, largest first."""

    item: Row[Any]
    faces: list[Row[Any]] = field(default_factory=list)

    @property
    def seq(self) -> int:
        """Its place in the job, from 0."""
        seq: int = self.item.seq
        return seq
