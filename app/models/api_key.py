from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base, Created, Identified


class ApiKey(Identified, Created, Base):
    """A secret of a tenant, kept as its SHA-256; `prefix` is the public part that finds it."""

    __tablename__ = "api_keys"
    __table_args__ = (
        UniqueConstraint("prefix"),
        CheckConstraint("octet_length(key_hash) = 32", name="hash_length"),
        CheckConstraint("cardinality(scopes) > 0", name="scopes_present"),
        CheckConstraint("cardinality(allowed_addresses) > 0", name="addresses_present"),
        Index(None, "tenant_id", "id"),
    )

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    name: Mapped[str]
    prefix: Mapped[str]
    key_hash: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    allowed_addresses: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    expires_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]
    last_used_at: Mapped[dt.datetime | None]
