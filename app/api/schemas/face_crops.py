from __future__ import annotations

from marshmallow import fields, validate

from app.domain.face_crop import LARGEST, SMALLEST, USUAL
from app.web.request_schema import RequestSchema


class FaceCropArgs(RequestSchema):
    """Query of GET /collections/{id}/faces/{face_id}/crop."""

    size = fields.Integer(
        load_default=USUAL,
        validate=validate.Range(SMALLEST, LARGEST),
        metadata={"description": "Pixels of its longer side, at most; it is never enlarged"},
    )
