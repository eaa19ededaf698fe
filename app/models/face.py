from __future__ import annotations

from uuid import UUID

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, REAL
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.database.base import Base, Created, Identified, TenantOwned


class Face(Identified, TenantOwned, Created, Base):
    """An enrolled detection, searchable in its collection.

    `job_id` and `item_seq` say where it came from; they are no foreign key, since jobs are
    removed long before faces are. `place_sha256` is the digest of the image's URI, null for some
    faces that earlier versions enrolled.
    """

    __tablename__ = "faces"
    __table_args__ = (
        UniqueConstraint("tenant_id", "collection_id", "id"),
        UniqueConstraint("collection_id", "image_sha256", "face_no"),
        CheckConstraint("octet_length(image_sha256) = 32", name="digest_length"),
        CheckConstraint("cardinality(box) = 4", name="box_corners"),
        ForeignKeyConstraint(
            ["tenant_id", "collection_id"],
            ["collections.tenant_id", "collections.id"],
            name="fk_faces_collection",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["tenant_id", "collection_id", "subject_id"],
            ["subjects.tenant_id", "subjects.collection_id", "subjects.id"],
            name="fk_faces_subject",
            ondelete="CASCADE",
        ),
        Index(None, "subject_id", "id"),
        Index(
            None,
            "collection_id",
            "place_sha256",
            postgresql_where=text("place_sha256 IS NOT NULL"),
        ),
    )

    collection_id: Mapped[UUID]
    subject_id: Mapped[UUID | None]
    image_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    face_no: Mapped[int] = mapped_column(SmallInteger)
    box: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    quality: Mapped[float] = mapped_column(REAL)
    model: Mapped[str]
    job_id: Mapped[UUID]
    item_seq: Mapped[int]
    place_sha256: Mapped[bytes | None] = mapped_column(LargeBinary)


class _FaceVector(TenantOwned):
    """The L2-normalised embedding of a face in a space, as half-precision floats."""

    __tablename__: str

    face_id: Mapped[UUID] = mapped_column(primary_key=True)
    space: Mapped[str] = mapped_column(primary_key=True)
    collection_id: Mapped[UUID]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[ForeignKeyConstraint | Index, ...]:  # noqa: N805 - SQLAlchemy passes the class
        return (
            ForeignKeyConstraint(
                ["tenant_id", "collection_id", "face_id"],
                ["faces.tenant_id", "faces.collection_id", "faces.id"],
                name=f"fk_{cls.__tablename__}_face",
                ondelete="CASCADE",
            ),
            Index(None, "collection_id"),
        )


class FaceVector128(_FaceVector, Base):
    """Embeddings of 128 dimensions (SFace)."""

    __tablename__ = "face_vectors_128"
    embedding: Mapped[list[float]] = mapped_column(HALFVEC(128))


class FaceVector512(_FaceVector, Base):
    """Embeddings of 512 dimensions (ArcFace)."""

    __tablename__ = "face_vectors_512"
    embedding: Mapped[list[float]] = mapped_column(HALFVEC(512))
