from __future__ import annotations

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base, Created, Identified


class Tenant(Identified, Created, Base):
    """An organisation: owner of keys, collections, jobs, images and webhooks."""

    __tablename__ = "tenants"
    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint("char_length(name) BETWEEN 1 AND 200", name="name_length"),
    )

    name: Mapped[str]
    contact_email: Mapped[str | None]
    attributes_allowed: Mapped[bool] = mapped_column(server_default=text("false"))


class StorageLocation(Identified, Created, Base):
    """A bucket, and a prefix in it, that the tenant's jobs may read."""

    __tablename__ = "storage_locations"
    __table_args__ = (UniqueConstraint("tenant_id", "bucket", "prefix"),)

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    bucket: Mapped[str]
    prefix: Mapped[str] = mapped_column(server_default="")
