from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from flask import current_app
from marshmallow import Schema, fields, post_load, pre_load, validate

from app.api.job_items import ItemsField
from app.api.ordered_lists import OrderedArgs
from app.api.schemas.given_name import GivenName
from app.api.schemas.metadata_filter import MetadataFilter
from app.domain.job_filter import JobFilter
from app.domain.job_options import ATTRIBUTES, JobOptions
from app.domain.job_request import MOST_REDRIVES, JobRequest, check_item_count
from app.domain.states import EnrolFaces, JobFailure, JobState, Operation
from app.services.jobs.validate_job import MOST_PROBLEMS
from app.web.fields import AnswerSchema, Metadata, RowSchema, Timestamp
from app.web.request_schema import BoundedList, RequestSchema

_MOST_FACES = 1000
_SMALLEST_FACE_PX, _LARGEST_FACE_PX = 8, 4096
_MOST_MATCHES = 100
_MOST_CODES, _LONGEST_CODE = 50, 100


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
    on_conflict = fields.String(
        validate=validate.OneOf(["keep", "move"]),
        metadata={
            "title": "OnConflict",
            "description": "`enrol` of a photograph that the collection has as another person's: "
            "it stays so (`keep`, the default), or becomes the new person's (`move`)",
            "example": "move",
        },
    )
    on_changed = fields.String(
        validate=validate.OneOf(["add", "replace"]),
        metadata={
            "title": "OnChanged",
            "description": "`enrol` of an object that held another photograph when it was enrolled "
            "for the same person: those faces stay (`add`, the default), or are erased (`replace`)",
            "example": "replace",
        },
    )
    distinct_people = fields.Boolean(
        metadata={
            "description": "`identify`: nobody is matched twice in one image; `false` for mirrors, "
            "collages and pages of pictures. Default true"
        }
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
    collection = GivenName("A collection's name, in place of its id", allow_none=True)
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


class JobSubmitArgs(Schema):
    """Query of POST /jobs."""

    validate_only = fields.Boolean(
        load_default=False,
        metadata={"description": "Check the job as at its submission, and submit nothing"},
    )


def validates_only(query: Mapping[str, str]) -> bool:
    """Whether a query says so, before it is read."""
    return query.get("validate_only") in fields.Boolean.truthy


class JobRedriveSchema(RequestSchema):
    """Body of POST /jobs/{id}/redrive."""

    codes = BoundedList(
        fields.String(validate=validate.Length(1, _LONGEST_CODE)),
        least=1,
        most=_MOST_CODES,
        metadata={"description": "Items that failed with one of these codes; all when left out"},
    )


class ItemProblemSchema(AnswerSchema):
    """What an item would fail with as the job is made."""

    custom_id = fields.String(required=True)
    code = fields.String(required=True)
    message = fields.String(required=True)


class JobValidationSchema(AnswerSchema):
    """What would become of a job if it was submitted now."""

    valid = fields.Boolean(
        required=True, metadata={"description": "No item would fail with its submission"}
    )
    items = fields.Integer(required=True)
    problem_count = fields.Integer(
        required=True, metadata={"description": "How many items would fail"}
    )
    problems = fields.List(
        fields.Nested(ItemProblemSchema),
        required=True,
        metadata={"description": f"The first of them, {MOST_PROBLEMS} at most"},
    )


class JobListArgs(OrderedArgs):
    """Query of GET /jobs."""

    state = BoundedList(
        fields.Enum(JobState, by_value=fields.String),
        most=len(JobState),
        metadata={"description": "Any of these: `state=queued&state=processing`"},
    )
    operation = fields.Enum(Operation, by_value=fields.String)
    collection_id = fields.UUID()
    created_after = Timestamp(metadata={"description": "At that moment, or after it"})
    created_before = Timestamp(metadata={"description": "Before that moment"})
    metadata = MetadataFilter()

    @post_load
    def _as_filter(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        named = {f.name for f in dataclasses.fields(JobFilter)} & data.keys()
        data["wanted"] = JobFilter(**{name: data.pop(name) for name in named})
        return data


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
    redrive_of = fields.UUID(
        required=True,
        allow_none=True,
        attribute="job.redrive_of",
        metadata={"description": "The job whose failed items these are, tried again"},
    )
    redriven_by = fields.List(
        fields.UUID(),
        required=True,
        attribute="job.redriven_by",
        metadata={"description": f"Jobs that try its failed items again: the last {MOST_REDRIVES}"},
    )
