"""Pictures of enrolled faces."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import Response, request

from app.api.resource import Resource
from app.api.schemas.face_crops import FaceCropArgs
from app.domain.names import Scope
from app.services.gallery.crop_face import FaceKey, crop_face
from app.web.auth import actor, principal, requires
from app.web.etag import with_etag
from app.web.operation_doc import response_header

blueprint = Resource("face-crops", __name__, description="Pictures of enrolled faces")

# Kept by the client alone, and asked for each time: a face that is erased is not shown any more.
_CACHING = "private, no-cache"
_ETAG = {"ETag": response_header("For `If-None-Match`: of the face, its image and the size")}


@blueprint.get("/collections/<uuid:collection_id>/faces/<uuid:face_id>/crop")
@requires(Scope.COLLECTIONS_READ)
@with_etag
@blueprint.takes(FaceCropArgs, "query")
@blueprint.returns_bytes("image/jpeg", headers=_ETAG)
@blueprint.also_returns(304, description="Unchanged since the ETag in `If-None-Match`")
def get_face_crop(args: dict[str, Any], collection_id: UUID, face_id: UUID) -> Response:
    """See a face: cut out of its image with a margin, as a JPEG.

    Its image must still be where the job that enrolled it found it, with the same bytes, and that
    job must not be deleted.
    """
    known = request.if_none_match.as_set(include_weak=True)
    key = FaceKey(principal().tenant_id, collection_id, face_id)
    crop = crop_face(key, args["size"], known, actor())
    status = HTTPStatus.NOT_MODIFIED if crop.jpeg is None else HTTPStatus.OK
    response = Response(crop.jpeg, status, mimetype="image/jpeg")
    response.set_etag(crop.version)
    response.headers["Cache-Control"] = _CACHING
    return response
