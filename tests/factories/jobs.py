"""Jobs as submitted, and as workers leave them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.database.transactions import owner_transaction
from app.domain.actor import SYSTEM
from app.domain.job_options import JobOptions
from app.domain.job_request import ItemRequest, JobRequest
from app.domain.states import Operation
from app.services.jobs.submit_job import submit_job

PLACE = "s3://photos/"


def make_job(
    tenant_id: UUID,
    *,
    items: int = 1,
    operation: Operation = Operation.DETECT,
    collection_id: UUID | None = None,
    subject: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> UUID:
    """A queued job over `items` images of PLACE, which the tenant must be allowed to read.

    Their custom ids are `item-0`, `item-1` and so on.
    """
    request = JobRequest(
        operation,
        tuple(
            ItemRequest(f"item-{number}", image=f"{PLACE}{number}.jpg", subject=subject)
            for number in range(items)
        ),
        collection_id=collection_id,
        options=JobOptions(),
        metadata=metadata or {},
    )
    return submit_job(tenant_id, request, SYSTEM).id


def lease_shard(job_id: UUID, shard_no: int = 0) -> None:
    """Let some worker hold a shard."""
    _execute(
        """
        UPDATE shards SET state = 'leased', leased_until = now() + interval '30 s',
          lease_instance = 'test', lease_pid = 1, lease_token = lease_token + 1
        WHERE job_id = :job_id AND shard_no = :shard_no
        """,
        {"job_id": job_id, "shard_no": shard_no},
    )
    _execute(
        "UPDATE jobs SET state = 'processing', started_at = now() WHERE id = :job_id",
        {"job_id": job_id},
    )


def close_item(
    job_id: UUID, seq: int, *, error: str | None = None, faces: Sequence[Mapping[str, Any]] = ()
) -> None:
    """Close an item with its result, and the job with its last item."""
    found = {"job_id": job_id, "seq": seq, "state": "failed" if error else "succeeded"}
    _execute(
        """
        UPDATE items SET state = :state, finished_at = now(), width = 640, height = 480,
          error_code = :error, error_message = :error, engine = 'onnxruntime fp32', pipeline = '2'
        WHERE job_id = :job_id AND seq = :seq
        """,
        {**found, "error": error},
    )
    for face_no, face in enumerate(faces):
        _add_detection(job_id, seq, face_no, face)
    _execute(
        """
        UPDATE jobs SET open_items = open_items - 1, started_at = coalesce(started_at, now()),
          succeeded_items = succeeded_items + CAST(:state = 'succeeded' AS integer),
          failed_items = failed_items + CAST(:state = 'failed' AS integer),
          errors_by_code = add_counts(errors_by_code,
            CASE WHEN :state = 'failed' THEN jsonb_build_object(CAST(:error AS text), 1)
            ELSE '{}' END),
          state = CASE WHEN open_items = 1 THEN 'succeeded' ELSE 'processing' END,
          finished_at = CASE WHEN open_items = 1 THEN now() END
        WHERE id = :job_id
        """,
        {**found, "error": error},
    )
    _execute(
        """
        UPDATE shards SET open_items = open_items - 1,
          state = CASE WHEN open_items = 1 THEN 'done' ELSE state END
        WHERE job_id = :job_id AND first_seq <= :seq AND :seq < first_seq + item_count
        """,
        found,
    )


def _add_detection(job_id: UUID, seq: int, face_no: int, face: Mapping[str, Any]) -> None:
    _execute(
        """
        INSERT INTO detections (job_id, item_seq, face_no, tenant_id, box, landmarks,
          detection_confidence, quality, liveness, decision, matches, threshold, threshold_reason,
          search_index, search_faces, search_recall, face_id, subject_id, enrolled, reason)
        SELECT id, :seq, :face_no, tenant_id, '{10,20,80,100}', '{1,2,3,4,5,6,7,8,9,10}',
          0.98, 0.81, CAST(:liveness AS jsonb), :decision, CAST(:matches AS jsonb), :threshold,
          CAST(:threshold_reason AS jsonb), :search_index, :search_faces, :search_recall,
          :face_id, :subject_id, :enrolled, :reason
        FROM jobs WHERE id = :job_id
        """,
        {
            "job_id": job_id,
            "seq": seq,
            "face_no": face_no,
            **{
                name: json.dumps(face[name]) if face.get(name) is not None else None
                for name in ("liveness", "matches", "threshold_reason")
            },
            **{
                name: face.get(name)
                for name in (
                    "decision",
                    "threshold",
                    "search_index",
                    "search_faces",
                    "search_recall",
                    "face_id",
                    "subject_id",
                    "enrolled",
                    "reason",
                )
            },
        },
    )


def _execute(statement: str, parameters: Mapping[str, Any]) -> None:
    with owner_transaction() as session:
        session.execute(text(statement), parameters)
