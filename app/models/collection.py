from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, SmallInteger, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base, Created, Identified
from app.domain.gallery import GalleryRef
from app.domain.versions import version_of


class Collection(Identified, Created, Base):
    """A gallery of one tenant, bound to one embedding model (`name@digest`).

    Exactly one of `threshold` (cosine similarity) and `target_fpir` decides what a match is.
    Searches read the vectors of its current `space` alone.
    """

    __tablename__ = "collections"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        UniqueConstraint("tenant_id", "name"),
        CheckConstraint("char_length(name) BETWEEN 1 AND 200", name="name_length"),
        CheckConstraint("dimensions IN (128, 512)", name="dimensions"),
        CheckConstraint("(threshold IS NULL) <> (target_fpir IS NULL)", name="one_rule"),
        CheckConstraint("threshold BETWEEN -1 AND 1", name="threshold_range"),
        CheckConstraint("target_fpir > 0 AND target_fpir < 1", name="target_fpir_range"),
        CheckConstraint("face_count >= 0", name="face_count"),
    )

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    name: Mapped[str]
    model: Mapped[str]
    space: Mapped[str]
    dimensions: Mapped[int] = mapped_column(SmallInteger)
    threshold: Mapped[float | None]
    target_fpir: Mapped[float | None]
    face_count: Mapped[int] = mapped_column(BigInteger, server_default="0")
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", server_default="{}")
    updated_at: Mapped[dt.datetime] = mapped_column(server_default=func.now(), onupdate=func.now())

    @property
    def gallery(self) -> GalleryRef:
        """This collection as its vectors know it."""
        return GalleryRef(self.tenant_id, self.id, self.dimensions, self.space)

    @property
    def version(self) -> str:
        """Another whenever somebody changed the collection; its faces may come and go."""
        return version_of(self.name, self.threshold, self.target_fpir, self.metadata_)
