"""Uploads."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.api.resource import Resource
from app.api.schemas.images import (
    DeletedImagesSchema,
    ImagePresignSchema,
    ImageSchema,
    ImagesDeleteSchema,
    ImageUploadSchema,
    PresignedImageSchema,
)
from app.domain.names import Scope
from app.domain.presigned_upload import Presigned, UploadPromise
from app.models.image import Image
from app.services.tenancy import delete_images as deletion
from app.services.tenancy import presigned_uploads
from app.services.tenancy.uploads import upload_image as upload
from app.web.auth import actor, principal, requires
from app.web.body_limits import upload_body
from app.web.idempotency import idempotent, idempotent_secret

blueprint = Resource("images", __name__, description="Images that have no place in S3 yet")


@blueprint.post("/images")
@requires(Scope.JOBS_WRITE)
@idempotent
@blueprint.takes(ImageUploadSchema, "files", limit=upload_body)
@blueprint.returns(201, ImageSchema)
def upload_image(files: dict[str, Any]) -> Image:
    """Upload an image as the multipart part `file`."""
    return upload(principal().tenant_id, files["file"].read(), actor())


@blueprint.post("/images/presign")
@requires(Scope.JOBS_WRITE)
@idempotent_secret
@blueprint.takes(ImagePresignSchema)
@blueprint.returns(201, PresignedImageSchema)
def presign_image(promise: UploadPromise) -> Presigned:
    """Get a URL to which you send an image yourself, straight to S3."""
    return presigned_uploads.presign_upload(principal().tenant_id, promise, actor())


@blueprint.post("/images/<uuid:image_id>/complete")
@requires(Scope.JOBS_WRITE)
@idempotent
@blueprint.returns(200, ImageSchema)
def complete_image(image_id: UUID) -> Image:
    """Say that an image is at its URL: it is checked, and jobs can use it from here on.

    Asked for again, it answers the same image; what was sent meanwhile is not looked at.
    """
    return presigned_uploads.complete_upload(principal().tenant_id, image_id, actor())


@blueprint.delete("/images/<uuid:image_id>")
@requires(Scope.JOBS_WRITE)
@blueprint.returns(204)
def delete_image(image_id: UUID) -> None:
    """Delete an upload: its object in S3, then what is known of it.

    Items of open jobs that name it fail with `image_not_found`.
    """
    deletion.delete_image(principal().tenant_id, image_id, actor())


@blueprint.post("/images/delete")
@requires(Scope.JOBS_WRITE)
@idempotent
@blueprint.takes(ImagesDeleteSchema)
@blueprint.returns(200, DeletedImagesSchema)
def delete_images(named: dict[str, list[UUID]]) -> deletion.DeletedImages:
    """Delete up to 1000 uploads.

    A 503 says that S3 kept some of them: call again with the same ids.
    """
    return deletion.delete_images(principal().tenant_id, named["ids"], actor())
