"""An item's result as the client reads it, in pages and in results.jsonl alike."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from app.domain.gallery import NotNew
from app.domain.item_errors import NotLive
from app.domain.states import Decision, ItemState, Operation
from app.models.job import ItemResult, Job
from app.web.fields import named_box

# The face was nobody's, or whoever had it was erased since.
_NOBODY = {"subject": None, "subject_id": None, "left_without_faces": False}


def result_view(job: Job, result: ItemResult) -> dict[str, Any]:
    """Describe an item: plain values only."""
    item = result.item
    view: dict[str, Any] = {
        "custom_id": item.custom_id,
        "state": item.state,
        "width": item.width,
        "height": item.height,
        "faces": [_face(job.operation, item, face) for face in result.faces],
        "model": job.model,
        "engine": item.engine,
        "pipeline": item.pipeline,
        "error": _error(item),
    }
    if job.operation == Operation.ENROL:
        view["replaced"] = [face_id for face in result.faces for face_id in face.replaced or ()]
    for name in ("image_version", "reference_version"):
        if (version := getattr(item, name)) is not None:
            view[name] = version
    if job.operation == Operation.VERIFY:
        view |= {"decision": item.decision, "similarity": item.similarity, "fmr": item.fmr}
        view["fmr_basis"] = item.fmr_basis
    return view


def _error(item: Row[Any]) -> dict[str, str] | None:
    if item.state != ItemState.FAILED:
        return None
    return {"code": item.error_code, "message": item.error_message}


def _face(operation: str, item: Row[Any], face: Row[Any]) -> dict[str, Any]:
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
    if operation == Operation.IDENTIFY:
        view |= _identified(face)
    elif operation == Operation.ENROL:
        view |= _enrolled(item, face)
    return view


def _identified(face: Row[Any]) -> dict[str, Any]:
    # A face that is not live, or not good enough, was compared with nobody: it names no one.
    decision = face.decision or Decision.UNKNOWN
    return {
        "decision": decision,
        "matches": face.matches or [],
        "threshold": face.threshold,
        "threshold_reason": face.threshold_reason,
        "search": _searched(face),
    }


def _searched(face: Row[Any]) -> dict[str, Any] | None:
    if face.search_index is None:
        return None
    return {
        "index": face.search_index,
        "faces": face.search_faces,
        "recall": face.search_recall,
    }


def _enrolled(item: Row[Any], face: Row[Any]) -> dict[str, Any]:
    reason = face.reason
    if not face.enrolled and reason is None:
        spoof = face.liveness is not None and not face.liveness["live"]
        reason = NotLive.code if spoof else item.error_code
    view: dict[str, Any] = {
        "face_id": str(face.face_id) if face.face_id else None,
        "subject": face.subject,
        "subject_id": str(face.subject_id) if face.subject_id else None,
        "enrolled": bool(face.enrolled),
        "reason": reason,
    }
    if reason == NotNew.MOVED:
        view["moved_from"] = face.moved_from or _NOBODY
    return view
