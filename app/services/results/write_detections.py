"""A part of storing: one row a face, with what was decided about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.database.bulk_rows import BulkTable
from app.domain.outcomes import FoundFace
from app.services.results.close_items import ClosedItems
from app.services.results.enrol_faces import EnrolledFace
from app.services.results.job_batch import FaceKey
from app.services.results.judge_batch import Judgement
from app.services.results.match_faces import FaceDecision

_FACES = BulkTable(
    "bulk_detections",
    {
        "job_id": "uuid",
        "item_seq": "integer",
        "face_no": "smallint",
        "box": "integer[]",
        "landmarks": "real[]",
        "detection_confidence": "real",
        "quality": "real",
        "liveness": "jsonb",
        "attributes": "jsonb",
        "decision": "text",
        "matches": "jsonb",
        "threshold": "double precision",
        "threshold_reason": "jsonb",
        "search_index": "text",
        "search_faces": "integer",
        "search_recall": "real",
        "subject_id": "uuid",
        "face_id": "uuid",
        "enrolled": "boolean",
        "reason": "text",
        "moved_from": "uuid",
        "replaced": "jsonb",
    },
)

_COLUMNS = _FACES.column_names
_INSERT = text(
    f"INSERT INTO detections (tenant_id, {_COLUMNS}) "  # noqa: S608 - columns of ours
    f"SELECT :tenant_id, {_COLUMNS} FROM pg_temp.bulk_detections"
)


def write_detections(
    session: Session,
    tenant_id: UUID,
    judged: Judgement,
    closed: ClosedItems,
    enrolled: Mapping[FaceKey, EnrolledFace],
) -> None:
    """Insert the faces of the items that this transaction closed, failed ones included."""
    rows = [
        _row((*key, face.face_no), face, judged, enrolled)
        for key in closed
        if (image := judged.outcomes[key].image) is not None
        for face in image.faces
    ]
    if rows:
        _FACES.fill(session, rows)
        session.execute(_INSERT, {"tenant_id": tenant_id})


def _row(
    key: FaceKey, face: FoundFace, judged: Judgement, enrolled: Mapping[FaceKey, EnrolledFace]
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "job_id": key[0],
        "item_seq": key[1],
        "face_no": face.face_no,
        "box": face.box,
        "landmarks": face.landmarks,
        "detection_confidence": face.detection_confidence,
        "quality": face.quality,
        "liveness": face.liveness,
        "attributes": face.attributes,
    }
    return row | _decided(judged.faces.get(key)) | _enrolled(enrolled.get(key))


def _decided(decision: FaceDecision | None) -> dict[str, Any]:
    if decision is None:
        return {}
    return {
        "decision": decision.decision.value,
        "matches": decision.matches,
        "threshold": decision.threshold,
        "threshold_reason": decision.threshold_reason,
        "search_index": decision.search.index.value,
        "search_faces": decision.search.faces,
        "search_recall": decision.search.recall,
    }


def _enrolled(face: EnrolledFace | None) -> dict[str, Any]:
    if face is None:
        return {}
    return {
        "face_id": face.face_id,
        "subject_id": face.subject_id,
        "enrolled": face.enrolled,
        "reason": face.reason,
        "moved_from": face.moved_from,
        "replaced": [str(face_id) for face_id in face.replaced] or None,
    }
