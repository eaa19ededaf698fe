from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base, Created, Identified


class PresignedUpload(Identified, Created, Base):
    """What a client may put into S3 itself, as the image of this id.

    It stays until its URL has ended, also once the image is completed: whoever has the URL may put
    the object there again, and retention finds it by this row.
    """

    __tablename__ = "presigned_uploads"
    __table_args__ = (
        CheckConstraint("octet_length(sha256) = 32", name="digest_length"),
        CheckConstraint("byte_count > 0", name="byte_count"),
        Index(None, "tenant_id"),
        Index(None, "expires_at"),
    )

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    uri: Mapped[str]
    content_type: Mapped[str]
    byte_count: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    expires_at: Mapped[dt.datetime]
    completed_at: Mapped[dt.datetime | None]
