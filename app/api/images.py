"""Uploads."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.api.resource import Resource
from app.api.schemas.images import ImageSchema, ImageUploadSchema
from app.domain.names import Scope
from app.models.image import Image
from app.services.tenancy.uploads import delete_image as delete
from app.services.tenancy.uploads import upload_image as upload
from app.web.auth import actor, principal, requires
from app.web.body_limits import upload_body
from app.web.idempotency import idempotent

blueprint = Resource("images", __name__, description="Images that have no place in S3 yet")


@blueprint.post("/images")
@requires(Scope.JOBS_WRITE)
@idempotent
@blueprint.takes(ImageUploadSchema, "files", limit=upload_body)
@blueprint.returns(201, ImageSchema)
def upload_image(files: dict[str, Any]) -> Image:
    """Upload an image as the multipart part `file`."""
    return upload(principal().tenant_id, files["file"].read(), actor())


@blueprint.delete("/images/<uuid:image_id>")
@requires(Scope.JOBS_WRITE)
@blueprint.returns(204)
def delete_image(image_id: UUID) -> None:
    """Delete an upload: its object in S3, then what is known of it.

    Items of open jobs that name it fail with `image_not_found`.
    """
    delete(principal().tenant_id, image_id, actor())
