from __future__ import annotations

from flask_smorest.fields import Upload
from marshmallow import fields

from app.web.fields import RowSchema
from app.web.request_schema import RequestSchema


class ImageUploadSchema(RequestSchema):
    """Parts of POST /images."""

    file = Upload(required=True, metadata={"description": "A JPEG, PNG or WebP image"})


class ImageSchema(RowSchema):
    """An uploaded image; name it in a job by `id` or by `uri`."""

    uri = fields.String(required=True)
    sha256 = fields.Function(
        lambda image: image.sha256.hex(), required=True, metadata={"type": "string"}
    )
    width = fields.Integer(required=True, metadata={"description": "As displayed (after EXIF)"})
    height = fields.Integer(required=True)
    content_type = fields.String(required=True)
