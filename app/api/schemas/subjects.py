from __future__ import annotations

from marshmallow import fields

from app.api.ordered_lists import OrderedArgs
from app.api.schemas.given_name import GivenName
from app.api.schemas.metadata_filter import MetadataFilter
from app.web.fields import Metadata, MetadataPatch, RowSchema, StoredBox, Timestamp
from app.web.request_schema import RequestSchema


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
