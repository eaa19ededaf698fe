"""An item's result as the client reads it, in pages and in results.jsonl alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Row

from app.api.fields import named_box
from app.domain.states import Decision, ItemState, Operation
from app.models.job import Job
from app.queries.items import ItemResult


def result_view(job: Job, result: ItemResult) -> dict[str, Any]:
    """Describe an item: plain values only."""
    item = result.item
    view: dict[str, Any] = {
        "custom_id": item.custom_id,
        "state": item.state,
        "width": item.width,
        "height": item.height,
        "faces": [_face(job.operation, face) for face in result.faces],
        "model": job.model,
        "engine": item.engine,
        "pipeline": item.pipeline,
        "error": _error(item),
    }
    if job.operation == Operation.VERIFY:
        view |= {"decision": item.decision, "similarity": item.similarity, "fmr": item.fmr}
    return view


def _error(item: Row[Any]) -> dict[str, str] | None:
    if item.state != ItemState.FAILED:
        return None
    return {"code": item.error_code, "message": item.error_message}


def _face(operation: str, face: Row[Any]) -> dict[str, Any]:
    points = face.landmarks
    view = {
        "face_no": face.face_no,
        "box": named_box(face.box),
        "landmarks": [list(pair) for pair in zip(points[::2], points[1::2], strict=True)],
        "detection_confidence": face.detection_confidence,
        "quality": face.quality,
    }
    if face.liveness is not None:
        view["liveness"] = face.liveness
    if face.attributes is not None:
        view["attributes"] = face.attributes
    return view | _BY_OPERATION.get(operation, _nothing)(face)


def _nothing(_face: Row[Any]) -> dict[str, Any]:
    return {}


def _identified(face: Row[Any]) -> dict[str, Any]:
    # A face that is not live was compared with nobody: whoever it resembles, it names no one.
    decision = Decision.UNKNOWN if _refused_as_spoof(face) else face.decision
    return {"decision": decision, "matches": face.matches or [], "threshold": face.threshold}


def _enrolled(face: Row[Any]) -> dict[str, Any]:
    return {
        "face_id": str(face.face_id) if face.face_id else None,
        "subject_id": str(face.subject_id) if face.subject_id else None,
        "enrolled": False if _refused_as_spoof(face) else face.enrolled,
        "reason": "not_live" if _refused_as_spoof(face) else face.reason,
    }


def _refused_as_spoof(face: Row[Any]) -> bool:
    return face.liveness is not None and not face.liveness["live"]


_BY_OPERATION: dict[str, Callable[[Row[Any]], dict[str, Any]]] = {
    Operation.IDENTIFY: _identified,
    Operation.ENROL: _enrolled,
}
