from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, post_load, validates_schema

from app.api.ordered_lists import OrderedArgs
from app.api.schemas.given_name import GivenName
from app.api.schemas.metadata_filter import MetadataFilter
from app.domain.gallery import SubjectKey
from app.web.fields import (
    AnswerSchema,
    Metadata,
    MetadataPatch,
    RowSchema,
    StoredBox,
    Timestamp,
)
from app.web.request_schema import BoundedList, RequestSchema

MOST_DELETED = 1000


class SubjectCreateSchema(RequestSchema):
    """Body of POST /collections/{id}/subjects."""

    external_id = GivenName(
        "Your own id of the person, kept in Unicode's composed form (NFC)", required=True
    )
    metadata = Metadata(load_default=dict)


class SubjectUpdateSchema(RequestSchema):
    """Body of PATCH …/subjects/{id}."""

    external_id = GivenName()
    metadata = MetadataPatch()


class SubjectListArgs(OrderedArgs):
    """Query of GET /collections/{id}/subjects."""

    external_id = GivenName("The one whom you call so")
    metadata = MetadataFilter()


class SubjectSchema(RowSchema):
    """A person of a collection, as the client reads it."""

    collection_id = fields.UUID(required=True)
    external_id = fields.String(required=True)
    metadata = Metadata(required=True, attribute="metadata_")
    updated_at = Timestamp(required=True)


class SubjectsDeleteSchema(RequestSchema):
    """Body of POST /collections/{id}/subjects/delete: one of the two lists."""

    ids = BoundedList(fields.UUID(), least=1, most=MOST_DELETED)
    external_ids = BoundedList(GivenName(), least=1, most=MOST_DELETED)

    @validates_schema
    def _one_list(self, data: dict[str, Any], **_: Any) -> None:
        if len(data) != 1:
            raise ValidationError("exactly one of ids and external_ids is needed", "ids")

    @post_load
    def _as_keys(self, data: dict[str, Any], **_: Any) -> list[SubjectKey]:
        (keys,) = data.values()
        return list(keys)


class FacesDeleteSchema(RequestSchema):
    """Body of POST /collections/{id}/faces/delete."""

    ids = BoundedList(fields.UUID(), least=1, most=MOST_DELETED, required=True)


class DeletionSchema(AnswerSchema):
    """What became of those who were named, each by the id that named it, once."""

    deleted = fields.List(fields.String(), required=True)
    not_found = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Not there, or not any more: they need no second try"},
    )


class FaceSchema(RowSchema):
    """An enrolled face: where it came from, never its embedding."""

    collection_id = fields.UUID(required=True)
    subject_id = fields.UUID(required=True, allow_none=True)
    image_sha256 = fields.Function(
        lambda face: bytes(face.image_sha256).hex(), required=True, metadata={"type": "string"}
    )
    face_no = fields.Integer(required=True)
    box = StoredBox(required=True)
    quality = fields.Float(required=True)
    model = fields.String(required=True)
    job_id = fields.UUID(required=True)
