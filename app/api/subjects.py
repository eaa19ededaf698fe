"""People of a collection, and their enrolled faces."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import url_for

from app.api.ordered_lists import OrderedArgs, ordered_page_of, window_of
from app.api.resource import Resource
from app.api.schemas.subjects import (
    DeletionSchema,
    FaceSchema,
    FacesDeleteSchema,
    SubjectCreateSchema,
    SubjectListArgs,
    SubjectSchema,
    SubjectsDeleteSchema,
    SubjectUpdateSchema,
)
from app.domain.gallery import Deletion, SubjectFilter, SubjectKey
from app.domain.names import Scope
from app.domain.versions import Accepted
from app.models.subject import Subject
from app.services.gallery import faces, subjects
from app.web.auth import actor, principal, requires
from app.web.etag import if_match, versioned
from app.web.idempotency import idempotent
from app.web.operation_doc import LOCATION
from app.web.pagination import page

blueprint = Resource("subjects", __name__, description="People of a collection and their faces")

_SUBJECTS = "/collections/<uuid:collection_id>/subjects"
_SUBJECT = f"{_SUBJECTS}/<uuid:subject_id>"
_BY_EXTERNAL_ID = f"{_SUBJECTS}/by-external-id/<external_id:external_id>"
_FACES = "/collections/<uuid:collection_id>/faces"


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
@blueprint.takes(SubjectListArgs, "query")
@blueprint.returns_page(SubjectSchema)
def list_subjects(args: dict[str, Any], collection_id: UUID) -> Any:
    """List a collection's people."""
    wanted = SubjectFilter(args.get("external_id"), args.get("metadata"))
    return ordered_page_of(subjects.list_subjects, args, collection_id, wanted=wanted)


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


@blueprint.post(f"{_SUBJECTS}/delete")
@requires(Scope.COLLECTIONS_WRITE)
@idempotent
@blueprint.takes(SubjectsDeleteSchema)
@blueprint.returns(200, DeletionSchema)
def delete_subjects(keys: list[SubjectKey], collection_id: UUID) -> Deletion:
    """Erase up to 1,000 people with all faces and embeddings, all at once.

    Named by `ids` or by your own `external_ids`. May be repeated: who is gone is `not_found`.
    """
    return subjects.delete_subjects(principal().tenant_id, collection_id, keys, actor())


@blueprint.get(f"{_SUBJECT}/faces")
@requires(Scope.COLLECTIONS_READ)
@blueprint.takes(OrderedArgs, "query")
@blueprint.returns_page(FaceSchema)
def list_faces(args: dict[str, Any], collection_id: UUID, subject_id: UUID) -> Any:
    """List a person's enrolled faces."""
    return _faces_of(subject_id, args, collection_id)


@blueprint.get(_BY_EXTERNAL_ID)
@requires(Scope.COLLECTIONS_READ)
@blueprint.returns(200, SubjectSchema)
@versioned
def get_subject_by_external_id(collection_id: UUID, external_id: str) -> Subject:
    """Read a person by your own id.

    Percent-encoded, slashes too.
    """
    return subjects.read_subject(principal().tenant_id, collection_id, external_id)


@blueprint.patch(_BY_EXTERNAL_ID)
@requires(Scope.COLLECTIONS_WRITE)
@if_match
@blueprint.takes(SubjectUpdateSchema)
@blueprint.returns(200, SubjectSchema)
@versioned
def update_subject_by_external_id(
    changes: dict[str, Any], collection_id: UUID, external_id: str, if_match: Accepted
) -> Subject:
    """Change a person whom you name by your own id.

    A JSON merge patch: what is not named stays, in `metadata` too.
    """
    return subjects.update_subject(
        principal().tenant_id, collection_id, external_id, changes, actor(), if_match
    )


@blueprint.delete(_BY_EXTERNAL_ID)
@requires(Scope.COLLECTIONS_WRITE)
@blueprint.returns(204)
def delete_subject_by_external_id(collection_id: UUID, external_id: str) -> None:
    """Erase a person whom you name by your own id, with all faces and embeddings."""
    subjects.delete_subject(principal().tenant_id, collection_id, external_id, actor())


@blueprint.get(f"{_BY_EXTERNAL_ID}/faces")
@requires(Scope.COLLECTIONS_READ)
@blueprint.takes(OrderedArgs, "query")
@blueprint.returns_page(FaceSchema)
def list_faces_by_external_id(args: dict[str, Any], collection_id: UUID, external_id: str) -> Any:
    """List the enrolled faces of a person whom you name by your own id.

    An id that itself ends in `/faces` is not read by such a path: find it in the list of people.
    """
    return _faces_of(external_id, args, collection_id)


@blueprint.get(_FACES)
@requires(Scope.COLLECTIONS_READ)
@blueprint.takes(OrderedArgs, "query")
@blueprint.returns_page(FaceSchema)
def list_collection_faces(args: dict[str, Any], collection_id: UUID) -> Any:
    """List a collection's enrolled faces, also those of nobody."""
    rows = faces.read_collection_faces(
        principal().tenant_id, collection_id, actor(), window_of(args)
    )
    return page(rows, args["limit"], lambda row: row.id)


@blueprint.post(f"{_FACES}/delete")
@requires(Scope.COLLECTIONS_WRITE)
@idempotent
@blueprint.takes(FacesDeleteSchema)
@blueprint.returns(200, DeletionSchema)
def delete_faces(named: dict[str, list[UUID]], collection_id: UUID) -> Deletion:
    """Erase up to 1,000 faces with their embeddings, all at once.

    May be repeated: what is gone is `not_found`.
    """
    return faces.delete_faces(principal().tenant_id, collection_id, named["ids"], actor())


@blueprint.delete(f"{_FACES}/<uuid:face_id>")
@requires(Scope.COLLECTIONS_WRITE)
@blueprint.returns(204)
def delete_face(collection_id: UUID, face_id: UUID) -> None:
    """Erase a face with its embedding."""
    faces.delete_face(principal().tenant_id, collection_id, face_id, actor())


def _faces_of(key: SubjectKey, args: dict[str, Any], collection_id: UUID) -> Any:
    rows = faces.read_faces(principal().tenant_id, collection_id, key, actor(), window_of(args))
    return page(rows, args["limit"], lambda row: row.id)
