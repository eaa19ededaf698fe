from __future__ import annotations

from marshmallow import fields

from app.web.fields import NAME_LENGTH, Metadata, MetadataPatch, RowSchema, StoredBox, Timestamp
from app.web.request_schema import RequestSchema


class SubjectCreateSchema(RequestSchema):
    """Body of POST /collections/{id}/subjects."""

    external_id = fields.String(
        required=True, validate=NAME_LENGTH, metadata={"description": "Your own id of the person"}
    )
    metadata = Metadata(load_default=dict)


class SubjectUpdateSchema(RequestSchema):
    """Body of PATCH …/subjects/{id}."""

    external_id = fields.String(validate=NAME_LENGTH)
    metadata = MetadataPatch()


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
