from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base, Created, Identified, TenantOwned
from app.domain.versions import version_of


class Subject(Identified, TenantOwned, Created, Base):
    """A person in a collection, under the client's `external_id`."""

    __tablename__ = "subjects"
    __table_args__ = (
        UniqueConstraint("tenant_id", "collection_id", "id"),
        UniqueConstraint("collection_id", "external_id"),
        CheckConstraint("char_length(external_id) BETWEEN 1 AND 200", name="external_id_length"),
        ForeignKeyConstraint(
            ["tenant_id", "collection_id"],
            ["collections.tenant_id", "collections.id"],
            name="fk_subjects_collection",
            ondelete="CASCADE",
        ),
    )

    collection_id: Mapped[UUID]
    external_id: Mapped[str]
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", server_default="{}")
    updated_at: Mapped[dt.datetime] = mapped_column(server_default=func.now(), onupdate=func.now())

    @property
    def version(self) -> str:
        """Another whenever somebody changed the subject; its faces may come and go."""
        return version_of(self.external_id, self.metadata_)
