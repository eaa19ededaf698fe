"""Galleries of a tenant."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import url_for

from app.api.ordered_lists import ordered_page_of
from app.api.resource import Resource
from app.api.schemas.collections import (
    CollectionCreateSchema,
    CollectionListArgs,
    CollectionSchema,
    CollectionUpdateSchema,
)
from app.domain.names import Scope
from app.domain.versions import Accepted
from app.models.collection import Collection
from app.services.gallery import collections
from app.services.gallery.collections import NewCollection
from app.web.auth import actor, principal, requires
from app.web.etag import if_match, versioned
from app.web.idempotency import idempotent
from app.web.operation_doc import LOCATION

blueprint = Resource("collections", __name__, description="Galleries, each bound to one model")


@blueprint.post("/collections")
@requires(Scope.COLLECTIONS_WRITE)
@idempotent
@blueprint.takes(CollectionCreateSchema)
@blueprint.returns(201, CollectionSchema, headers=LOCATION)
@versioned
def create_collection(wanted: NewCollection) -> Any:
    """Make a collection."""
    made = collections.create_collection(principal().tenant_id, wanted, actor())
    return made, {"Location": url_for("collections.get_collection", collection_id=made.id)}


@blueprint.get("/collections")
@requires(Scope.COLLECTIONS_READ)
@blueprint.takes(CollectionListArgs, "query")
@blueprint.returns_page(CollectionSchema)
def list_collections(args: dict[str, Any]) -> Any:
    """List collections."""
    return ordered_page_of(collections.list_collections, args, name=args.get("name"))


@blueprint.get("/collections/<uuid:collection_id>")
@requires(Scope.COLLECTIONS_READ)
@blueprint.returns(200, CollectionSchema)
@versioned
def get_collection(collection_id: UUID) -> Collection:
    """Read a collection."""
    return collections.read_collection(principal().tenant_id, collection_id)


@blueprint.patch("/collections/<uuid:collection_id>")
@requires(Scope.COLLECTIONS_WRITE)
@if_match
@blueprint.takes(CollectionUpdateSchema)
@blueprint.returns(200, CollectionSchema)
@versioned
def update_collection(
    changes: dict[str, Any], collection_id: UUID, if_match: Accepted
) -> Collection:
    """Change a collection's name, rule or metadata; its model stays.

    A JSON merge patch: what is not named stays, in `metadata` too.
    """
    return collections.update_collection(
        principal().tenant_id, collection_id, changes, actor(), if_match
    )


@blueprint.delete("/collections/<uuid:collection_id>")
@requires(Scope.COLLECTIONS_WRITE)
@blueprint.returns(204)
def delete_collection(collection_id: UUID) -> None:
    """Erase a collection with its subjects, faces and embeddings."""
    collections.delete_collection(principal().tenant_id, collection_id, actor())
