"""A part of storing: one row a face, with what was decided about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.adapters.pgvector_store import as_literal
from app.domain.outcomes import FoundFace, ItemOutcome
from app.domain.states import ItemState
from app.models.job import Job
from app.services.enrol_faces import EnrolledFace
from app.services.match_faces import FaceDecision, FaceKey

_INSERT = text("""
INSERT INTO detections (job_id, tenant_id, item_seq, face_no, box, landmarks, detection_confidence,
  quality, embedding, liveness, decision, matches, threshold, search_index, subject_id, face_id,
  enrolled, reason)
SELECT :job_id, :tenant_id, row.*
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (item_seq integer, face_no smallint,
  box integer[], landmarks real[], detection_confidence real, quality real, embedding halfvec,
  liveness jsonb, decision text, matches jsonb, threshold double precision, search_index text,
  subject_id uuid, face_id uuid, enrolled boolean, reason text)
""")


def write_detections(
    session: Session,
    job: Job,
    outcomes: Mapping[int, ItemOutcome],
    closed: Mapping[int, ItemState],
    decisions: Mapping[FaceKey, FaceDecision],
    enrolled: Mapping[FaceKey, EnrolledFace],
) -> None:
    """Insert the faces of the items that this transaction closed, failed ones included."""
    rows = [
        _row(seq, face, decisions.get((seq, face.face_no)), enrolled.get((seq, face.face_no)))
        for seq in closed
        if (image := outcomes[seq].image) is not None
        for face in image.faces
    ]
    if rows:
        session.execute(
            _INSERT, {"job_id": job.id, "tenant_id": job.tenant_id, "rows": json.dumps(rows)}
        )


def _row(
    seq: int, face: FoundFace, decision: FaceDecision | None, enrolled: EnrolledFace | None
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "item_seq": seq,
        "face_no": face.face_no,
        "box": face.box,
        "landmarks": face.landmarks,
        "detection_confidence": face.detection_confidence,
        "quality": face.quality,
        "embedding": as_literal(face.embedding) if face.embedding is not None else None,
        "liveness": face.liveness,
    }
    if decision is not None:
        row |= {
            "decision": decision.decision.value,
            "matches": decision.matches,
            "threshold": decision.threshold,
            "search_index": decision.search_index,
        }
    if enrolled is not None:
        row |= {
            "face_id": str(enrolled.face_id),
            "subject_id": str(enrolled.subject_id) if enrolled.subject_id else None,
            "enrolled": enrolled.enrolled,
            "reason": enrolled.reason,
        }
    return row
