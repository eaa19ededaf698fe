"""People of a collection, and their enrolled faces."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import url_for

from app.api.resource import Resource
from app.api.schemas.subjects import (
    FaceSchema,
    SubjectCreateSchema,
    SubjectSchema,
    SubjectUpdateSchema,
)
from app.domain.names import Scope
from app.domain.versions import Accepted
from app.models.subject import Subject
from app.services.gallery import faces, subjects
from app.web.auth import actor, principal, requires
from app.web.etag import if_match, versioned
from app.web.idempotency import idempotent
from app.web.operation_doc import LOCATION
from app.web.pagination import PageArgs, page, page_of

blueprint = Resource("subjects", __name__, description="People of a collection and their faces")

_SUBJECTS = "/collections/<uuid:collection_id>/subjects"
_SUBJECT = f"{_SUBJECTS}/<uuid:subject_id>"


@blueprint.post(_SUBJECTS)
@requires(Scope.COLLECTIONS_WRITE)
@idempotent
@blueprint.takes(SubjectCreateSchema)
@blueprint.returns(201, SubjectSchema, headers=LOCATION)
@versioned
def create_subject(wanted: dict[str, Any], collection_id: UUID) -> Any:
    """Add a person."""
    tenant_id = principal().tenant_id
    made = subjects.create_subject(tenant_id, collection_id, **wanted, actor=actor())
    location = url_for("subjects.get_subject", collection_id=collection_id, subject_id=made.id)
    return made, {"Location": location}


@blueprint.get(_SUBJECTS)
@requires(Scope.COLLECTIONS_READ)
@blueprint.takes(PageArgs, "query")
@blueprint.returns_page(SubjectSchema)
def list_subjects(args: dict[str, Any], collection_id: UUID) -> Any:
    """List a collection's people, newest first."""
    return page_of(subjects.list_subjects, args, collection_id)


@blueprint.get(_SUBJECT)
@requires(Scope.COLLECTIONS_READ)
@blueprint.returns(200, SubjectSchema)
@versioned
def get_subject(collection_id: UUID, subject_id: UUID) -> Subject:
    """Read a person."""
    return subjects.read_subject(principal().tenant_id, collection_id, subject_id)


@blueprint.patch(_SUBJECT)
@requires(Scope.COLLECTIONS_WRITE)
@if_match
@blueprint.takes(SubjectUpdateSchema)
@blueprint.returns(200, SubjectSchema)
@versioned
def update_subject(
    changes: dict[str, Any], collection_id: UUID, subject_id: UUID, if_match: Accepted
) -> Subject:
    """Change a person's external id or metadata.

    A JSON merge patch: what is not named stays, in `metadata` too.
    """
    return subjects.update_subject(
        principal().tenant_id, collection_id, subject_id, changes, actor(), if_match
    )


@blueprint.delete(_SUBJECT)
@requires(Scope.COLLECTIONS_WRITE)
@blueprint.returns(204)
def delete_subject(collection_id: UUID, subject_id: UUID) -> None:
    """Erase a person with all faces and embeddings."""
    subjects.delete_subject(principal().tenant_id, collection_id, subject_id, actor())


@blueprint.get(f"{_SUBJECT}/faces")
@requires(Scope.COLLECTIONS_READ)
@blueprint.takes(PageArgs, "query")
@blueprint.returns_page(FaceSchema)
def list_faces(args: dict[str, Any], collection_id: UUID, subject_id: UUID) -> Any:
    """List a person's enrolled faces, newest first."""
    rows = faces.read_faces(
        principal().tenant_id,
        collection_id,
        subject_id,
        actor(),
        limit=args["limit"],
        after=args["cursor"],
    )
    return page(rows, args["limit"], lambda row: row.id)


@blueprint.delete("/collections/<uuid:collection_id>/faces/<uuid:face_id>")
@requires(Scope.COLLECTIONS_WRITE)
@blueprint.returns(204)
def delete_face(collection_id: UUID, face_id: UUID) -> None:
    """Erase a face with its embedding."""
    faces.delete_face(principal().tenant_id, collection_id, face_id, actor())
