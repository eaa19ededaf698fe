from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from app.api.ordered_lists import OrderedArgs
from app.api.schemas.given_name import GivenName
from app.services.gallery.collections import NewCollection
from app.web.fields import Metadata, MetadataPatch, RowSchema, Timestamp
from app.web.request_schema import RequestSchema

_SIMILARITY = validate.Range(min=-1, max=1)
_RATE = validate.Range(min=0, max=1, min_inclusive=False, max_inclusive=False)


class _RuleSchema(RequestSchema):
    threshold = fields.Float(
        validate=_SIMILARITY,
        metadata={"description": "Cosine similarity from which on two faces match"},
    )
    target_fpir = fields.Float(
        validate=_RATE,
        metadata={"description": "How often a stranger may be named as somebody"},
    )


class CollectionCreateSchema(_RuleSchema):
    """Body of POST /collections."""

    name = GivenName(required=True)
    model = fields.String(metadata={"description": "A model of the registry, such as SFace"})
    metadata = Metadata()

    @post_load
    def _as_request(self, data: dict[str, Any], **_: Any) -> NewCollection:
        return NewCollection(**data)


class CollectionUpdateSchema(_RuleSchema):
    """Body of PATCH /collections/{id}."""

    name = GivenName()
    metadata = MetadataPatch()


class CollectionListArgs(OrderedArgs):
    """Query of GET /collections."""

    name = GivenName("The one that is called so")


class CollectionSchema(RowSchema):
    """A collection as the client reads it."""

    name = fields.String(required=True)
    model = fields.String(required=True, metadata={"description": "name@digest"})
    dimensions = fields.Integer(required=True)
    threshold = fields.Float(required=True, allow_none=True)
    target_fpir = fields.Float(required=True, allow_none=True)
    face_count = fields.Integer(required=True)
    metadata = Metadata(required=True, attribute="metadata_")
    updated_at = Timestamp(required=True)
