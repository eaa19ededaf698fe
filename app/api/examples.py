"""Examples of bodies and answers for the OpenAPI document, by schema; a test holds them to it."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema

_MADE = {"created_at": "2026-03-01T12:00:00Z"}
_CHANGED = {**_MADE, "updated_at": "2026-03-01T12:00:00Z"}
_MODEL = {"model": "SFace@99d5ab008c8f"}
_COLLECTION_ID = "01990000-0000-7000-8000-00000000000c"
_SUBJECT_ID = "01990000-0000-7000-8000-000000000005"
_JOB_ID = "01990000-0000-7000-8000-000000000001"
_ENDPOINT_ID = "01990000-0000-7000-8000-00000000000e"
_BOX = {"x": 373, "y": 87, "width": 232, "height": 331}
_FACE_ID = "01990000-0000-7000-8000-00000000000f"
_DELIVERY_ID = "01990000-0000-7000-8000-00000000000d"
_SHA256 = "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6"

_JOB = {
    "operation": "identify",
    "collection_id": _COLLECTION_ID,
    "options": {"top_k": 1, "min_quality": 0.3},
    "metadata": {"batch": "2026-03"},
}
_ENDPOINT = {
    "url": "https://client.example/facequeue",
    "events": ["job.succeeded", "job.failed"],
    "description": "Production",
}
_STORED_ENDPOINT = {
    "id": _ENDPOINT_ID,
    **_MADE,
    **_ENDPOINT,
    "state": "enabled",
    "disabled_reason": None,
    "disabled_at": None,
    "failing_since": None,
    "last_success_at": None,
    "previous_secret_expires_at": None,
}
_DELIVERY = {
    "id": _DELIVERY_ID,
    **_MADE,
    "endpoint_id": _ENDPOINT_ID,
    "job_id": _JOB_ID,
    "type": "job.succeeded",
    "state": "delivered",
    "attempt_count": 1,
    "next_attempt_at": None,
    "finished_at": "2026-03-01T12:00:01Z",
}
_KEY = {
    "name": "importer",
    "scopes": ["jobs:read", "jobs:write", "collections:write"],
    "expires_at": "2027-03-01T12:00:00Z",
    "allowed_addresses": ["203.0.113.0/24", "2001:db8::/48"],
}
_STORED_KEY = {
    "id": "01990000-0000-7000-8000-00000000000a",
    **_MADE,
    **_KEY,
    "prefix": "580500baaa33",
    "revoked_at": None,
    "last_used_at": "2026-03-01T12:00:00Z",
}
_COLLECTION = {"name": "staff", "threshold": 0.4, "metadata": {"site": "Oslo"}}
_SUBJECT = {"external_id": "employee-17", "metadata": {}}

_EXAMPLES: dict[str, dict[str, Any]] = {
    "ApiKey": _STORED_KEY,
    "ApiKeyCreate": _KEY,
    "ApiKeyRotate": {"overlap_hours": 24},
    "NewApiKey": {**_STORED_KEY, "key": "fq_580500baaa33_" + "x" * 43},
    "Attempt": {
        "attempted_at": "2026-03-01T12:00:01Z",
        "status_code": 204,
        "duration_ms": 38,
        "response_excerpt": "",
        "error": None,
    },
    "UsagePage": {
        "data": [
            {
                "day": "2026-03-01",
                "month": None,
                "operation": "identify",
                "outcome": "succeeded",
                "images": 1200,
                "faces": 1350,
                "inference_seconds": 31.208,
                "webhooks": 0,
            }
        ],
        "next_cursor": None,
        "from": "2026-03-01",
        "to": "2026-03-31",
        "waiting_since": "2026-03-31T12:00:00Z",
    },
    "AuditEvent": {
        "id": "01990000-0000-7000-8000-000000000009",
        **_MADE,
        "action": "job.submitted",
        "actor_key_id": _STORED_KEY["id"],
        "target_type": "job",
        "target_id": _JOB_ID,
        "detail": {"operation": "identify", "items": 1},
        "request_id": "9b2f6c1e-1f7e-4a53-8a3f-0d0f7d1f5a10",
        "actor_name": None,
        "actor_address": "192.0.2.7",
        "transaction_id": 4711,
        "chain_no": 42,
        "chain_hash": "5f0c9d2ab17e4866" * 4,
    },
    "Collection": {
        "id": _COLLECTION_ID,
        **_CHANGED,
        **_COLLECTION,
        **_MODEL,
        "dimensions": 128,
        "target_fpir": None,
        "face_count": 2,
    },
    "CollectionCreate": _COLLECTION,
    "CollectionUpdate": {"target_fpir": 0.001},
    "Deletion": {"deleted": [_SUBJECT["external_id"]], "not_found": ["employee-18"]},
    "Delivery": _DELIVERY,
    "DeliveryWithPayload": {
        **_DELIVERY,
        "payload": {
            "id": _DELIVERY_ID,
            "type": "job.succeeded",
            "timestamp": "2026-03-01T12:00:00Z",
            "data": {"job_id": _JOB_ID, "operation": "identify", "state": "succeeded"},
        },
    },
    "Endpoint": _STORED_ENDPOINT,
    "EndpointCreate": _ENDPOINT,
    "EndpointUpdate": {"state": "enabled"},
    "EndpointWithSecret": {**_STORED_ENDPOINT, "secret": "whsec_" + "x" * 43 + "="},
    "Face": {
        "id": _FACE_ID,
        **_MADE,
        **_MODEL,
        "collection_id": _COLLECTION_ID,
        "subject_id": _SUBJECT_ID,
        "image_sha256": _SHA256,
        "face_no": 0,
        "box": _BOX,
        "quality": 0.99,
        "job_id": _JOB_ID,
    },
    "FacesDelete": {"ids": [_FACE_ID]},
    "Image": {
        "id": "01990000-0000-7000-8000-000000000011",
        **_MADE,
        "uri": "s3://facequeue/uploads/01990000-0000-7000-8000-000000000010/"
        "01990000-0000-7000-8000-000000000011",
        "sha256": _SHA256,
        "width": 910,
        "height": 1137,
        "content_type": "image/jpeg",
    },
    "ImagesDelete": {"ids": ["01990000-0000-7000-8000-000000000011"]},
    "DeletedImages": {"deleted": ["01990000-0000-7000-8000-000000000011"], "not_found": []},
    "ImagePresign": {"content_type": "image/jpeg", "bytes": 184_032, "sha256": _SHA256},
    "PresignedImage": {
        "id": "01990000-0000-7000-8000-000000000011",
        "upload": {
            "url": "https://s3.example.com/facequeue/uploads/incoming/…?X-Amz-Signature=…",
            "method": "PUT",
            "headers": {
                "Content-Type": "image/jpeg",
                "x-amz-checksum-sha256": "47DEQpj8HBSa…",
            },
        },
        "expires_at": "2026-01-02T03:19:05Z",
    },
    "Item": {
        "custom_id": "a1",
        "state": "succeeded",
        "width": 910,
        "height": 1137,
        "faces": [
            {
                "face_no": 0,
                "box": _BOX,
                "landmarks": [[432, 214], [538, 210], [489, 278], [446, 334], [530, 331]],
                "detection_confidence": 0.98,
                "quality": 0.99,
                "decision": "match",
                "matches": [
                    {
                        "subject": "employee-17",
                        "subject_id": _SUBJECT_ID,
                        "face_id": _FACE_ID,
                        "similarity": 0.74,
                        "fmr": 1e-12,
                        "fmr_basis": "extrapolated",
                    }
                ],
                "threshold": 0.479,
                "threshold_reason": {
                    "rule": "target_fpir",
                    "target_fpir": 0.01,
                    "faces": 1150,
                    "fmr": 8.74e-6,
                    "fmr_basis": "extrapolated",
                    "calibration": "shipped",
                },
                "search": {"index": "exact", "faces": 1150, "recall": 1.0},
            }
        ],
        **_MODEL,
        "engine": "onnxruntime fp32",
        "pipeline": "1",
        "error": None,
    },
    "Job": {
        "id": _JOB_ID,
        **_MADE,
        **_MODEL,
        **_JOB,
        "state": "processing",
        "priority": "interactive",
        "counts": {
            "total": 1,
            "pending": 0,
            "processing": 1,
            "succeeded": 0,
            "failed": 0,
            "canceled": 0,
        },
        "errors_by_code": {},
        "failure_code": None,
        "started_at": "2026-03-01T12:00:01Z",
        "finished_at": None,
        "expires_at": "2026-03-08T12:00:00Z",
        "redrive_of": None,
        "redriven_by": [],
    },
    "JobCreate": {
        **_JOB,
        "items": [{"custom_id": "a1", "image": "s3://client-photos/2026/a1.jpg"}],
    },
    "JobRedrive": {"codes": ["storage_unavailable"]},
    "JobValidation": {
        "valid": False,
        "items": 2,
        "problem_count": 1,
        "problems": [
            {
                "custom_id": "a2",
                "code": "bucket_forbidden",
                "message": "s3://elsewhere/a2.jpg is not in a bucket or prefix registered for you",
            }
        ],
    },
    "Limits": {
        "max_job_items": 10_000,
        "max_upload_size": 10_485_760,
        "max_image_pixels": 108_000_000,
        "requests_per_minute": 600,
        "job_queue_days": 7,
        "retention_days_jobs": 30,
        "retention_days_images": 30,
        "liveness": True,
        "webhooks": True,
        "tenant": {
            "jobs_in_flight": {"limit": 100_000, "used": 12},
            "items_waiting": {"limit": 10_000_000, "used": 3072},
            "requests_per_minute": {"limit": 6000, "used": 17},
            "storage_bytes": {"limit": 1_099_511_627_776, "used": 48_318_382},
        },
    },
    "Me": {
        "tenant_id": "01990000-0000-7000-8000-000000000010",
        "tenant_name": "Example Ltd",
        "key_id": _STORED_KEY["id"],
        "key_name": "importer",
        "scopes": ["jobs:read", "jobs:write"],
        "allowed_addresses": None,
        "expires_at": None,
    },
    "ModelList": {
        "data": [
            {
                "name": "SFace",
                "identity": _MODEL["model"],
                "dimensions": 128,
                "default_threshold": 0.363,
                "licence": {
                    "name": "Apache-2.0",
                    "commercial_use": True,
                    "source": "https://github.com/opencv/opencv_zoo",
                },
                "default": True,
                "live": True,
            }
        ]
    },
    "Problem": {
        "type": "urn:facequeue:problem:validation_failed",
        "title": "The request has fields that are missing or wrong",
        "status": 422,
        "detail": "The request has fields that are missing or wrong",
        "code": "validation_failed",
        "errors": [
            {
                "pointer": "/items/3/image",
                "detail": 'exactly one of image and image_id is needed (custom_id "a3")',
            }
        ],
        "request_id": "9b2f6c1e-1f7e-4a53-8a3f-0d0f7d1f5a10",
    },
    "Subject": {
        "id": _SUBJECT_ID,
        **_CHANGED,
        **_SUBJECT,
        "collection_id": _COLLECTION_ID,
    },
    "SubjectCreate": _SUBJECT,
    "SubjectsDelete": {"external_ids": [_SUBJECT["external_id"], "employee-18"]},
    "SubjectUpdate": {"metadata": {"team": "night"}},
}


def example_of(schema: type[Schema]) -> dict[str, Any] | None:
    """Give an example of what a schema describes; None of a query and of a form."""
    return _EXAMPLES.get(schema.__name__.removesuffix("Schema"))
