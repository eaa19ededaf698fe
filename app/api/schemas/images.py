from __future__ import annotations

from typing import Any

from flask_smorest.fields import Upload
from marshmallow import fields, post_load, validate

from app.domain.image_header import ImageFormat
from app.domain.presigned_upload import UploadPromise
from app.web.fields import AnswerSchema, RowSchema, Timestamp
from app.web.request_schema import BoundedList, RequestSchema

MOST_DELETED = 1000  # as many objects as S3 deletes in one call


class ImageUploadSchema(RequestSchema):
    """Parts of POST /images."""

    file = Upload(
        required=True,
        metadata={"description": "A JPEG, PNG, WebP, HEIC, AVIF, TIFF, BMP or GIF image"},
    )


class ImageSchema(RowSchema):
    """An uploaded image; name it in a job by `id` or by `uri`."""

    uri = fields.String(required=True)
    sha256 = fields.Function(
        lambda image: image.sha256.hex(), required=True, metadata={"type": "string"}
    )
    width = fields.Integer(required=True, metadata={"description": "As displayed (after EXIF)"})
    height = fields.Integer(required=True)
    content_type = fields.String(required=True)


class ImagePresignSchema(RequestSchema):
    """Body of POST /images/presign: what will be sent to S3."""

    content_type = fields.String(
        required=True,
        validate=validate.OneOf([kind.content_type for kind in ImageFormat]),
        metadata={"title": "ImageContentType"},
    )
    bytes = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(min=1, max=2**53),
        metadata={"description": "How many, exactly; at most `MAX_UPLOAD_SIZE`"},
    )
    sha256 = fields.String(
        # The length holds too where Python's `$` lets a line's end through.
        validate=[validate.Length(equal=64), validate.Regexp("^[0-9a-f]{64}$")],
        metadata={"description": "In hexadecimal; S3 then takes no other bytes"},
    )

    @post_load
    def _promise(self, wanted: dict[str, Any], **_: Any) -> UploadPromise:
        digest = bytes.fromhex(wanted["sha256"]) if "sha256" in wanted else None
        return UploadPromise(wanted["content_type"], wanted["bytes"], digest)


class SignedRequestSchema(AnswerSchema):
    """The request to send the image with; its URL is a secret until it ends."""

    url = fields.URL(required=True)
    method = fields.String(
        required=True, validate=validate.OneOf(["PUT"]), metadata={"title": "UploadMethod"}
    )
    headers = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": "Send all of them, as they are, and the length of the body"},
    )


class PresignedImageSchema(AnswerSchema):
    """An image to be: send it, then `POST /images/{id}/complete`."""

    id = fields.UUID(required=True)
    upload = fields.Nested(SignedRequestSchema, required=True)
    expires_at = Timestamp(required=True, metadata={"description": "Until then S3 takes it"})


class ImagesDeleteSchema(RequestSchema):
    """Body of POST /images/delete."""

    ids = BoundedList(fields.UUID(), least=1, most=MOST_DELETED, required=True)


class DeletedImagesSchema(AnswerSchema):
    """What became of the images that were named, each once."""

    deleted = fields.List(fields.UUID(), required=True)
    not_found = fields.List(
        fields.UUID(),
        required=True,
        metadata={"description": "Not there, or not any more: they need no second try"},
    )
