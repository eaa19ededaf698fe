"""What happened to the vectors of a gallery after a copy of them was made."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.domain.gallery import GalleryRef

_TAIL = text("""
SELECT followed.yes, told.face_id
FROM (
  SELECT EXISTS (
    SELECT FROM vector_followers WHERE name = :follower AND position <= CAST(:position AS xid8)
  ) AS yes
) AS followed
LEFT JOIN LATERAL (
  SELECT DISTINCT face_id FROM vector_changes
  WHERE collection_id = :collection_id AND space = :space AND xact >= CAST(:position AS xid8)
  LIMIT :most
) AS told ON followed.yes
""")
_HORIZON = text("SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)")


@dataclass(frozen=True)
class Tail:
    """The faces that changed; not `complete` where somebody may have pruned what is asked for."""

    complete: bool
    face_ids: list[UUID]


def horizon(session: Session) -> int:
    """The transaction below which nothing is open any more, as the next statement will see it."""
    return int(session.execute(_HORIZON).scalar_one())


def changed_since(
    session: Session, gallery: GalleryRef, follower: str, position: int, most: int
) -> Tail:
    """The faces that transactions from `position` on changed, `most` of them; one snapshot.

    It is complete while the follower stands at or before `position`: nothing from there on is
    pruned then.
    """
    rows = session.execute(
        _TAIL,
        {
            "follower": follower,
            "position": str(position),
            "collection_id": gallery.collection_id,
            "space": gallery.space,
            "most": most,
        },
    ).all()
    return Tail(bool(rows[0].yes), [row.face_id for row in rows if row.face_id is not None])
