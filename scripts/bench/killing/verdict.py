"""What a run came to, and how it differs from the unkilled one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from scripts.bench.killing.run import Run
from scripts.bench.trial.database import Database

# The order in which images share a batch moves the last digits of a float, and of a box's edge.
_PIXELS = 2
_SCORE = 0.01
_COSINE = 0.9999

_FACES = """
SELECT c.name AS collection, s.external_id AS subject, encode(f.image_sha256, 'hex') AS image,
  f.face_no, v.embedding::text AS vector
FROM faces f JOIN collections c ON c.id = f.collection_id JOIN subjects s ON s.id = f.subject_id
JOIN face_vectors_128 v ON v.face_id = f.id AND v.space = c.space
WHERE f.tenant_id = %s
"""
_UNFINISHED = "SELECT count(*) FROM jobs WHERE tenant_id = %s AND finished_at IS NULL"
# One planned job that became two, one event that became two rows, counters that do not add up.
_TWICE = """
SELECT (SELECT coalesce(sum(n - 1), 0)::int FROM (SELECT count(*) AS n FROM jobs
          WHERE tenant_id = %s GROUP BY metadata->>'name') AS named)
     + (SELECT coalesce(sum(n - 1), 0)::int FROM (SELECT count(*) AS n FROM webhook_deliveries
          WHERE tenant_id = %s GROUP BY job_id) AS told)
"""
_MISCOUNTED = """
SELECT count(*) FROM jobs j, LATERAL (
  SELECT count(*) FILTER (WHERE i.state = 'succeeded') AS succeeded,
         count(*) FILTER (WHERE i.state = 'failed') AS failed
  FROM items i WHERE i.job_id = j.id) AS counted
WHERE j.tenant_id = %s AND j.finished_at IS NOT NULL
  AND (j.succeeded_items, j.failed_items) IS DISTINCT FROM (counted.succeeded, counted.failed)
"""

FaceKey = tuple[str, str, str, int]


@dataclass(frozen=True)
class Outcome:
    """Everything that a run left behind."""

    items: dict[str, dict[str, Any]]
    repeated_items: int
    faces: dict[FaceKey, Any]
    repeated_faces: int
    stuck: int
    twice: int
    miscounted: int


@dataclass(frozen=True)
class Verdict:
    """How a killed run differs from the unkilled one of the same seed."""

    lost: int
    duplicates: int
    wrong: int
    stuck: int
    details: tuple[str, ...]


def collect(run: Run, database: Database) -> Outcome:
    """Read every item over HTTP, and galleries and counters from the database."""
    client = run.client()
    items: dict[str, dict[str, Any]] = {}
    repeated = 0
    for job_id in run.job_ids.values():
        for item in client.results(job_id):
            repeated += item["custom_id"] in items
            items[item["custom_id"]] = item
    rows = database.rows(_FACES, run.tenant.id)
    faces = {(r.collection, r.subject, r.image, r.face_no): _vector(r.vector) for r in rows}
    return Outcome(
        items,
        repeated,
        faces,
        len(rows) - len(faces),
        stuck=database.value(_UNFINISHED, run.tenant.id),
        twice=database.value(_TWICE, run.tenant.id, run.tenant.id),
        miscounted=database.value(_MISCOUNTED, run.tenant.id),
    )


def compare(expected: Outcome, found: Outcome) -> Verdict:
    """Every item and every face of a gallery, against the unkilled run."""
    details = []
    lost = sorted(n for n in expected.items if not _ended(found.items.get(n)))
    details += [f"lost: {name}" for name in lost]
    wrong = sorted(
        name
        for name, item in found.items.items()
        if _ended(item) and not same_item(expected.items.get(name, {}), item)
    )
    details += [f"wrong: {n}: {expected.items.get(n)} became {found.items[n]}" for n in wrong]
    lost_faces = sorted(expected.faces.keys() - found.faces.keys())
    strange = sorted(found.faces.keys() - expected.faces.keys())
    changed = [k for k, v in found.faces.items() if not _same_vector(expected.faces.get(k), v)]
    details += [f"face lost: {key}" for key in lost_faces]
    details += [f"face wrong: {key}" for key in changed]
    details += [f"{found.miscounted} jobs whose counters are wrong"] if found.miscounted else []
    extra = max(0, len(found.faces) - len(expected.faces))
    return Verdict(
        lost=len(lost) + len(lost_faces),
        duplicates=found.repeated_items + found.repeated_faces + found.twice + extra,
        wrong=len(wrong) + len({*changed, *strange}) + found.miscounted,
        stuck=found.stuck,
        details=tuple(details),
    )


def missing_webhooks(run: Run, told: Counter[str]) -> int:
    """Accepted jobs of a run that no webhook has told of."""
    return sum(told[job_id] == 0 for job_id in run.job_ids.values())


def _ended(item: dict[str, Any] | None) -> bool:
    return item is not None and item["state"] != "pending"


def same_item(expected: dict[str, Any], found: dict[str, Any]) -> bool:
    """Whether two results say the same: state, error, and face by face where and who."""
    for name in ("state", "width", "height", "model"):
        if expected.get(name) != found[name]:
            return False
    codes = [item["error"] and item["error"]["code"] for item in (expected, found)]
    faces = (expected["faces"], found["faces"])
    if codes[0] != codes[1] or len(faces[0]) != len(faces[1]):
        return False
    return all(_same_face(*pair) for pair in zip(*faces, strict=True))


def _same_face(expected: dict[str, Any], found: dict[str, Any]) -> bool:
    sides = ("x", "y", "width", "height")
    if any(abs(expected["box"][side] - found["box"][side]) > _PIXELS for side in sides):
        return False
    for name in ("decision", "enrolled", "reason"):
        if expected.get(name) != found.get(name):
            return False
    if abs(expected["quality"] - found["quality"]) > _SCORE:
        return False
    pairs = list(zip(expected.get("matches", []), found.get("matches", []), strict=False))
    same_length = len(expected.get("matches", [])) == len(found.get("matches", []))
    return same_length and all(_same_match(*pair) for pair in pairs)


def _same_match(expected: dict[str, Any], found: dict[str, Any]) -> bool:
    near: bool = abs(expected["similarity"] - found["similarity"]) <= _SCORE
    return near and bool(expected["subject"] == found["subject"])


def _vector(text: str) -> Any:
    return np.array([float(part) for part in text.strip("[]").split(",")])


def _same_vector(expected: Any, found: Any) -> bool:
    if expected is None:
        return False
    cosine = expected @ found / (np.linalg.norm(expected) * np.linalg.norm(found))
    return bool(cosine >= _COSINE)
