from __future__ import annotations

from typing import Any

from flask import current_app
from marshmallow import fields, post_load, pre_load, validate

from app.api.job_items import ItemsField
from app.domain.job_options import ATTRIBUTES, JobOptions
from app.domain.job_request import JobRequest, check_item_count
from app.domain.states import Decision, EnrolFaces, ItemState, JobFailure, JobState, Operation
from app.web.fields import AnswerSchema, BoxSchema, Metadata, RowSchema, Timestamp
from app.web.pagination import PageArgs
from app.web.request_schema import BoundedList, RequestSchema

_MOST_FACES = 1000
_SMALLEST_FACE_PX, _LARGEST_FACE_PX = 8, 4096
_MOST_MATCHES = 100


class JobOptionsSchema(RequestSchema):
    """`options` of a job."""

    max_faces = fields.Integer(
        strict=True,
        validate=validate.Range(1, _MOST_FACES),
        metadata={"description": "So many faces of an image are kept, the largest"},
    )
    min_quality = fields.Float(
        validate=validate.Range(0, 1),
        metadata={"description": "Faces below it are compared with nobody, and not enrolled"},
    )
    min_face = fields.Integer(
        strict=True,
        validate=validate.Range(_SMALLEST_FACE_PX, _LARGEST_FACE_PX),
        metadata={"description": "Smallest face looked for, in pixels of the image"},
    )
    top_k = fields.Integer(
        strict=True,
        validate=validate.Range(1, _MOST_MATCHES),
        metadata={"description": "So many subjects are shown as `matches` of a face"},
    )
    liveness = fields.Boolean(
        metadata={"description": "Judge by a passive model whether each face is live"}
    )
    rotation = fields.String(
        allow_none=True,
        validate=validate.OneOf(["off", "gated", "full"]),
        metadata={
            "title": "Rotation",
            "description": "How hard turned heads are looked for; null as the service is set",
        },
    )
    enrol_faces = fields.String(
        validate=validate.OneOf([kind.value for kind in EnrolFaces]),
        metadata={
            "title": "EnrolFaces",
            "description": "`only`: several faces are an error; `all`: without `subject`",
        },
    )
    attributes = BoundedList(
        fields.String(validate=validate.OneOf(ATTRIBUTES), metadata={"title": "AttributeName"}),
        most=len(ATTRIBUTES),
        metadata={"description": "Estimates of each face, for tenants that may ask for them"},
    )

    @post_load
    def _as_options(self, data: dict[str, Any], **_: Any) -> JobOptions:
        asked = data.pop("attributes", ())
        return JobOptions(**data, attributes=tuple(name for name in ATTRIBUTES if name in asked))


class JobCreateSchema(RequestSchema):
    """Body of POST /jobs."""

    operation = fields.Enum(Operation, by_value=fields.String, required=True)
    items = ItemsField(required=True, metadata={"minItems": 1})
    collection_id = fields.UUID(allow_none=True)
    model = fields.String(allow_none=True)
    options = fields.Nested(JobOptionsSchema)
    webhook_endpoint_id = fields.UUID(
        allow_none=True,
        metadata={"description": "One endpoint; null for none; absent for all that subscribe"},
    )
    metadata = Metadata()

    @pre_load
    def _not_too_many(self, data: Any, **_: Any) -> Any:
        items = data.get("items") if isinstance(data, dict) else None
        if isinstance(items, list):
            check_item_count(len(items), current_app.config["SETTINGS"].max_job_items)
        return data

    @post_load
    def _as_request(self, data: dict[str, Any], **_: Any) -> JobRequest:
        notify = data.get("webhook_endpoint_id", ...) is not None
        return JobRequest(**data, notify_webhooks=notify)


class JobListArgs(PageArgs):
    """Query of GET /jobs."""

    state = fields.Enum(JobState, by_value=fields.String)
    operation = fields.Enum(Operation, by_value=fields.String)


class CountsSchema(AnswerSchema):
    """A job's items by state."""

    total = fields.Integer(required=True)
    pending = fields.Integer(required=True)
    processing = fields.Integer(required=True)
    succeeded = fields.Integer(required=True)
    failed = fields.Integer(required=True)
    canceled = fields.Integer(required=True)


class JobSchema(RowSchema):
    """A job as the client reads it."""

    id = fields.UUID(required=True, attribute="job.id")
    operation = fields.String(required=True, attribute="job.operation")
    state = fields.String(
        required=True,
        attribute="job.state",
        validate=validate.OneOf([state.value for state in JobState]),
        metadata={"title": "JobState"},
    )
    priority = fields.String(required=True, attribute="job.priority")
    collection_id = fields.UUID(required=True, allow_none=True, attribute="job.collection_id")
    model = fields.String(required=True, attribute="job.model")
    options = fields.Nested(JobOptionsSchema, required=True, attribute="job.options")
    counts = fields.Nested(CountsSchema, required=True)
    errors_by_code = fields.Dict(
        required=True,
        keys=fields.String(),
        values=fields.Integer(),
        attribute="job.errors_by_code",
        metadata={"description": "How many items failed, by the code of their error"},
    )
    failure_code = fields.String(
        required=True,
        allow_none=True,
        attribute="job.failure_code",
        validate=validate.OneOf(list(JobFailure)),
        metadata={"title": "JobFailure", "description": "Why the job as a whole could not run"},
    )
    metadata = Metadata(required=True, attribute="job.metadata_")
    created_at = Timestamp(required=True, attribute="job.created_at")
    started_at = Timestamp(required=True, allow_none=True, attribute="job.started_at")
    finished_at = Timestamp(required=True, allow_none=True, attribute="job.finished_at")
    expires_at = Timestamp(required=True, attribute="job.expires_at")


class ItemListArgs(PageArgs):
    """Query of GET /jobs/{id}/items."""

    state = fields.Enum(ItemState, by_value=fields.String)


class MatchSchema(AnswerSchema):
    """A face of the gallery that resembles the probe."""

    subject = fields.String(required=True, allow_none=True)
    subject_id = fields.String(required=True, allow_none=True)
    face_id = fields.String(required=True, allow_none=True)
    erased = fields.Boolean(
        metadata={
            "description": "True when the face was erased since: `face_id` is null, and with its "
            "person gone too, `subject` and `subject_id`; absent otherwise"
        }
    )
    similarity = fields.Float(required=True)
    fmr = fields.Float(required=True)


class LivenessSchema(AnswerSchema):
    """What a passive anti-spoofing model says of a face; `live` is score >= threshold."""

    score = fields.Float(required=True, metadata={"description": "0 (spoof) to 1 (live)"})
    live = fields.Boolean(required=True)
    threshold = fields.Float(required=True)
    model = fields.String(required=True)


class AttributesSchema(AnswerSchema):
    """Estimates by DeepFace's models: what a face looks like, not what its person is or feels."""

    age = fields.Float(metadata={"description": "Apparent age in years"})
    gender = fields.Dict(metadata={"description": "Probability by label"})
    emotion = fields.Dict(metadata={"description": "Probability by label"})
    models = fields.Dict(required=True, metadata={"description": "name@digest by attribute"})


class FaceResultSchema(AnswerSchema):
    """A face in an image; `identify` adds decision and matches, `enrol` what became of it."""

    face_no = fields.Integer(required=True)
    box = fields.Nested(BoxSchema, required=True)
    landmarks = fields.List(fields.List(fields.Float()), required=True)
    detection_confidence = fields.Float(required=True)
    quality = fields.Float(required=True)
    liveness = fields.Nested(
        LivenessSchema, metadata={"description": "There when liveness was checked"}
    )
    attributes = fields.Nested(
        AttributesSchema, metadata={"description": "There when attributes were asked for"}
    )
    decision = fields.String(
        validate=validate.OneOf([Decision.MATCH, Decision.UNKNOWN, Decision.AMBIGUOUS]),
        metadata={"title": "FaceDecision"},
    )
    matches = fields.List(fields.Nested(MatchSchema))
    threshold = fields.Float(allow_none=True)
    face_id = fields.String(
        allow_none=True, metadata={"description": "Null also when it was erased since"}
    )
    subject_id = fields.String(
        allow_none=True, metadata={"description": "Null also when it was erased since"}
    )
    enrolled = fields.Boolean()
    reason = fields.String(allow_none=True, metadata={"description": "Why it was not enrolled"})


class ItemErrorSchema(AnswerSchema):
    """Why an item failed."""

    code = fields.String(required=True)
    message = fields.String(required=True)


class ItemSchema(AnswerSchema):
    """An item with its result; `verify` adds decision, similarity and fmr."""

    custom_id = fields.String(required=True)
    state = fields.String(
        required=True,
        validate=validate.OneOf([state.value for state in ItemState]),
        metadata={"title": "ItemState"},
    )
    width = fields.Integer(required=True, allow_none=True)
    height = fields.Integer(required=True, allow_none=True)
    faces = fields.List(fields.Nested(FaceResultSchema), required=True)
    model = fields.String(required=True)
    engine = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "What computed the networks, in which precision"},
    )
    pipeline = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Version of what is done around the networks"},
    )
    error = fields.Nested(ItemErrorSchema, required=True, allow_none=True)
    decision = fields.String(allow_none=True)
    similarity = fields.Float(allow_none=True)
    fmr = fields.Float(allow_none=True)
