from __future__ import annotations

from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base, Created, Identified


class Image(Identified, Created, Base):
    """An uploaded picture: its place in S3, its digest, its size as displayed."""

    __tablename__ = "images"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        CheckConstraint("octet_length(sha256) = 32", name="digest_length"),
        Index(None, "created_at"),
        Index("ix_images_tenant_id_byte_count", "tenant_id", postgresql_include=["byte_count"]),
    )

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    uri: Mapped[str]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    content_type: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    byte_count: Mapped[int] = mapped_column(BigInteger)
