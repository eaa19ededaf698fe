"""Use case: results of earlier jobs lose the names of those who were erased since.

Nobody reads such a name meanwhile: see app/queries/living_names.py. What is left to do stands in
`erasures`, so that it goes on after a crash, and each transaction rewrites a batch at most.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import TextClause, text

from app.database.plan_by_key import plan_by_key
from app.database.transactions import queue_transaction, tenant_transaction
from app.models.erasure import Erasure
from app.queries.living_names import (
    LIVING_FACE,
    LIVING_FORMER,
    LIVING_MATCHES,
    LIVING_SUBJECT,
)

_ROWS_A_BATCH = 2000
_ERASURES_A_RUN = 1000

_DUE = text("""
SELECT id, tenant_id FROM erasures WHERE due_at <= now() ORDER BY due_at LIMIT :most
""")

# Whoever searched before the erasure holds a transaction number from below the one noted here, and
# is through once nothing below it is open.
_NOTE = text("""
UPDATE erasures SET settled_after = pg_snapshot_xmax(pg_current_snapshot())
WHERE id = :id AND settled_after IS NULL
""")
_SETTLED = text("""
SELECT pg_snapshot_xmin(pg_current_snapshot()) >= settled_after FROM erasures WHERE id = :id
""")

_REWRITE = f"""
UPDATE detections SET matches = {LIVING_MATCHES}, subject_id = {LIVING_SUBJECT},
  face_id = {LIVING_FACE}, moved_from = {LIVING_FORMER}
"""  # noqa: S608 - SQL of ours


def _rewrite_those(keys: str) -> TextClause:
    return text(f"""
WITH held AS MATERIALIZED (
  SELECT job_id, item_seq, face_no FROM detections
  WHERE tenant_id = :tenant_id AND (job_id, item_seq, face_no) IN ({keys})
  ORDER BY job_id, item_seq, face_no FOR UPDATE
)
{_REWRITE} FROM held
WHERE detections.job_id = held.job_id AND detections.item_seq = held.item_seq
  AND detections.face_no = held.face_no
""")  # noqa: S608 - SQL of ours


_MATCHED = _rewrite_those("SELECT * FROM detections_naming(:erased, :batch)")
_ENROLLED = {
    column: _rewrite_those(
        "SELECT job_id, item_seq, face_no FROM detections "  # noqa: S608 - a column of ours
        f"WHERE tenant_id = :tenant_id AND {column} = :erased LIMIT :batch"
    )
    for column in ("face_id", "subject_id", "moved_from")
}
# Where results name a face or a person, beside their matches.
_NAMED_IN = {"face_id": ("face_id",), "subject_id": ("subject_id", "moved_from")}

# What is still to be worked at keeps its subject: it fails because that is gone, and says so.
_CLAIMS = text("""
WITH held AS MATERIALIZED (
  SELECT items.job_id, items.seq FROM items JOIN jobs ON jobs.id = items.job_id
  WHERE items.tenant_id = :tenant_id AND items.subject_id = :erased
    AND (items.state <> 'pending' OR jobs.finished_at IS NOT NULL)
  ORDER BY items.job_id, items.seq LIMIT :batch FOR UPDATE OF items
)
UPDATE items SET subject_id = NULL FROM held
WHERE items.job_id = held.job_id AND items.seq = held.seq
""")
_CLAIMED = text("""
SELECT EXISTS (SELECT FROM items WHERE tenant_id = :tenant_id AND subject_id = :erased)
""")

_JOBS = text("""
SELECT id, total_items, finished_at FROM jobs
WHERE tenant_id = :tenant_id AND collection_id = :erased ORDER BY id
""")
_OF_A_JOB = text(f"""
{_REWRITE} WHERE tenant_id = :tenant_id AND job_id = :job_id AND item_seq >= :first
  AND item_seq < :end AND (matches IS NOT NULL OR subject_id IS NOT NULL OR face_id IS NOT NULL
    OR moved_from IS NOT NULL)
""")
_CLAIMS_OF_A_JOB = text("""
UPDATE items SET subject_id = NULL
WHERE tenant_id = :tenant_id AND job_id = :job_id AND seq >= :first AND seq < :end
  AND subject_id IS NOT NULL
""")

_LATER = text("UPDATE erasures SET due_at = now() + interval '10 minutes' WHERE id = :id")


def scrub_results() -> int:
    """Scrub what is due; returns how many erasures no stored result shows a trace of any more.

    The others wait for transactions that may have searched before them, or for items that are
    still to be worked at.
    """
    with queue_transaction() as session:
        due = session.execute(_DUE, {"most": _ERASURES_A_RUN}).all()
    return sum(_scrub(row.tenant_id, row.id) for row in due)


def _scrub(tenant_id: UUID, erasure_id: UUID) -> bool:
    with tenant_transaction(tenant_id) as session:
        session.execute(_NOTE, {"id": erasure_id})
    with tenant_transaction(tenant_id) as session:
        settled = session.execute(_SETTLED, {"id": erasure_id}).scalar_one_or_none()
        erasure = session.get(Erasure, erasure_id)
    if not settled or erasure is None:
        return False
    through = _scrub_names(erasure)
    with tenant_transaction(tenant_id) as session:
        if through:
            session.delete(session.get_one(Erasure, erasure_id))
        else:
            session.execute(_LATER, {"id": erasure_id})
        session.flush()
    return through


def _scrub_names(erasure: Erasure) -> bool:
    """Whether nothing is left of them."""
    if erasure.face_id is not None:
        return _scrub_everywhere(erasure.tenant_id, "face_id", erasure.face_id)
    if erasure.subject_id is not None:
        return _scrub_everywhere(erasure.tenant_id, "subject_id", erasure.subject_id)
    return _scrub_jobs(erasure.tenant_id, erasure.collection_id)


def _scrub_everywhere(tenant_id: UUID, column: str, erased: UUID) -> bool:
    values = {"tenant_id": tenant_id, "erased": erased, "batch": _ROWS_A_BATCH}
    enrolled = (_ENROLLED[named] for named in _NAMED_IN[column])
    for statement in (_MATCHED, *enrolled, _CLAIMS):
        while _rewrite(tenant_id, statement, values):
            pass  # until nothing is found
    with tenant_transaction(tenant_id) as session:
        return not session.execute(_CLAIMED, values).scalar_one()


def _rewrite(tenant_id: UUID, statement: TextClause, values: dict[str, object]) -> int:
    with tenant_transaction(tenant_id) as session:
        plan_by_key(session)
        changed: int = session.execute(statement, values).rowcount  # type: ignore[attr-defined]  # an UPDATE's cursor result has it
        return changed


def _scrub_jobs(tenant_id: UUID, collection_id: UUID) -> bool:
    """All results of a collection's jobs: nobody of it lives."""
    with tenant_transaction(tenant_id) as session:
        jobs = session.execute(_JOBS, {"tenant_id": tenant_id, "erased": collection_id}).all()
    if any(job.finished_at is None for job in jobs):
        return False
    for job in jobs:
        for first in range(0, job.total_items, _ROWS_A_BATCH):
            values = {"job_id": job.id, "first": first, "end": first + _ROWS_A_BATCH}
            with tenant_transaction(tenant_id) as session:
                for statement in (_OF_A_JOB, _CLAIMS_OF_A_JOB):
                    session.execute(statement, {"tenant_id": tenant_id, **values})
    return True
