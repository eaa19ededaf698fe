"""Reads of a job's items with their results, inside the tenant's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from app.domain.states import ItemState
from app.models.job import ItemResult
from app.queries.living_names import (
    FORMER,
    LIVING_FACE,
    LIVING_MATCHES,
    LIVING_NAME,
    LIVING_SUBJECT,
)

# Cancelling rewrites no item: a pending one within a canceled shard counts as canceled. Adjacent
# shards merge into one range, so that the test costs the same for ten items as for a million.
_ITEMS = text("""
SELECT * FROM (
  SELECT seq, custom_id, error_code, error_message, decision, similarity, fmr, fmr_basis, width,
    height, engine, pipeline, image_version, reference_version,
    CASE WHEN state = 'pending' AND seq <@ (
      SELECT coalesce(range_agg(int4range(first_seq, first_seq + item_count)), '{}')
      FROM shards WHERE tenant_id = :tenant_id AND job_id = :job_id AND state = 'canceled'
    ) THEN 'canceled' ELSE state END AS state
  FROM items
  WHERE tenant_id = :tenant_id AND job_id = :job_id AND seq > :after
    AND (CAST(:stored AS text) IS NULL OR state = :stored)
) AS seen
WHERE CAST(:state AS text) IS NULL OR state = :state
ORDER BY seq LIMIT :limit
""")

_DETECTIONS = text(f"""
SELECT item_seq, face_no, box, landmarks, detection_confidence, quality, liveness, attributes,
  decision, {LIVING_MATCHES} AS matches, threshold, threshold_reason,
  search_index, search_faces, search_recall, {LIVING_SUBJECT} AS subject_id,
  {LIVING_NAME} AS subject, {LIVING_FACE} AS face_id, enrolled, reason,
  {FORMER} AS moved_from, replaced
FROM detections
WHERE tenant_id = :tenant_id AND job_id = :job_id AND item_seq = ANY (:seqs)
ORDER BY item_seq, face_no
""")  # noqa: S608 - SQL of ours

BEFORE_FIRST = -1


def list_items(
    session: Session,
    tenant_id: UUID,
    job_id: UUID,
    *,
    limit: int,
    after: int | None = None,
    state: ItemState | None = None,
) -> Sequence[ItemResult]:
    """Items in the job's order: up to `limit` and one more."""
    of_job: dict[str, Any] = {"tenant_id": tenant_id, "job_id": job_id}
    items = session.execute(
        _ITEMS,
        {
            **of_job,
            "after": BEFORE_FIRST if after is None else after,
            "state": None if state is None else state.value,
            "stored": _stored(state),
            "limit": limit + 1,
        },
    ).all()
    faces: dict[int, list[Row[Any]]] = defaultdict(list)
    for face in session.execute(_DETECTIONS, {**of_job, "seqs": [item.seq for item in items]}):
        faces[face.item_seq].append(face)
    return [ItemResult(item, faces[item.seq]) for item in items]


def _stored(state: ItemState | None) -> str | None:
    """How items of this state lie in the table: what an index may be asked for."""
    if state is None:
        return None
    return (ItemState.PENDING if state is ItemState.CANCELED else state).value
