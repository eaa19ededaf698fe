from __future__ import annotations

from typing import Any
from uuid import UUID

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import Index, Integer, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REAL
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base, TenantOwned


class Detection(TenantOwned, Base):
    """A face found in an item, with what was decided about it and by which rule.

    `box` is x, y, width, height in pixels of the displayed image; `landmarks` are five x, y pairs.
    `moved_from` is whose face it was before, `replaced` the ids of faces that it took the place of.
    """

    __tablename__ = "detections"
    __table_args__ = (
        Index(
            "ix_detections_named",
            text(
                "(jsonb_path_query_array(matches, '$[*].\"subject_id\"') || "
                "jsonb_path_query_array(matches, '$[*].\"face_id\"'))"
            ),
            postgresql_using="gin",
            postgresql_where=text("matches IS NOT NULL"),
        ),
        Index(None, "subject_id", postgresql_where=text("subject_id IS NOT NULL")),
        Index(None, "face_id", postgresql_where=text("face_id IS NOT NULL")),
        Index(None, "moved_from", postgresql_where=text("moved_from IS NOT NULL")),
        {"postgresql_partition_by": "RANGE (job_id)"},
    )

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    item_seq: Mapped[int] = mapped_column(primary_key=True)
    face_no: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    box: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    landmarks: Mapped[list[float]] = mapped_column(ARRAY(REAL))
    detection_confidence: Mapped[float] = mapped_column(REAL)
    quality: Mapped[float] = mapped_column(REAL)
    # Always null: no result keeps a vector. A later migration drops it, when nobody inserts it.
    embedding: Mapped[list[float] | None] = mapped_column(HALFVEC())
    liveness: Mapped[dict[str, Any] | None]
    attributes: Mapped[dict[str, Any] | None]
    decision: Mapped[str | None]
    matches: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
    threshold: Mapped[float | None]
    threshold_reason: Mapped[dict[str, Any] | None]
    search_index: Mapped[str | None]
    search_faces: Mapped[int | None]
    search_recall: Mapped[float | None] = mapped_column(REAL)
    subject_id: Mapped[UUID | None]
    face_id: Mapped[UUID | None]
    enrolled: Mapped[bool | None]
    reason: Mapped[str | None]
    moved_from: Mapped[UUID | None]
    replaced: Mapped[list[str] | None] = mapped_column(JSONB)
