"""Use cases: a tenant's collections are made, changed, erased and read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.database.recent_reads import recent_reads
from app.database.transactions import read_transaction, tenant_transaction
from app.domain.actor import Actor
from app.domain.gallery import ErasedScope
from app.domain.given_names import normal_name
from app.domain.identifiers import new_id
from app.domain.metadata import changed_metadata
from app.domain.model_registry import ModelEntry
from app.domain.request_errors import (
    AlreadyExists,
    FieldError,
    Invalid,
)
from app.domain.versions import Accepted, require_version
from app.domain.windows import Window
from app.models.collection import Collection
from app.queries import collections as queries
from app.queries.collections import lock_collection, seize_collection
from app.queries.subjects import hold_subjects
from app.services.gallery.offered_model import offered_model
from app.services.gallery.vectors import erase_faces
from app.services.tenancy.record_audit import record_audit


@dataclass(frozen=True)
class NewCollection:
    """What a client chooses. Of the two rules at most one; with none, the model's threshold."""

    name: str
    model: str | None = None
    threshold: float | None = None
    target_fpir: float | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


def create_collection(tenant_id: UUID, wanted: NewCollection, actor: Actor) -> Collection:
    """Make a collection, bound to a model for good.

    Raises:
        ModelUnavailable: the model is not offered here.
        Invalid: both a threshold and a target FPIR.
        AlreadyExists: the tenant has a collection of this name.
    """
    if wanted.threshold is not None and wanted.target_fpir is not None:
        raise _two_rules()
    collection = _new_collection(tenant_id, wanted, offered_model(wanted.model))
    with tenant_transaction(tenant_id) as session:
        session.add(collection)
        _flush(session)
        _audit(session, collection, actor, "created")
    return collection


def update_collection(
    tenant_id: UUID,
    collection_id: UUID,
    changes: Mapping[str, Any],
    actor: Actor,
    accepted: Accepted = None,
) -> Collection:
    """Change `name`, `metadata`, or the rule: a threshold replaces a target FPIR, or the reverse.

    Raises:
        NotFound: no collection of this tenant has the id.
        PreconditionFailed: its version is not one of those accepted.
        Invalid: both rules at once, or too much metadata.
        AlreadyExists: the tenant has another collection of this name.
    """
    if {"threshold", "target_fpir"} <= changes.keys():
        raise _two_rules()
    with tenant_transaction(tenant_id) as session:
        collection = lock_collection(session, tenant_id, collection_id)
        require_version(collection.version, accepted)
        if "name" in changes:
            collection.name = normal_name(changes["name"])
        if "metadata" in changes:
            collection.metadata_ = changed_metadata(collection.metadata_, changes["metadata"])
        if {"threshold", "target_fpir"} & changes.keys():
            collection.threshold = changes.get("threshold")
            collection.target_fpir = changes.get("target_fpir")
        collection.updated_at = dt.datetime.now(dt.UTC)
        _flush(session)
        _audit(session, collection, actor, "updated", {"fields": sorted(changes)})
    return collection


def delete_collection(tenant_id: UUID, collection_id: UUID, actor: Actor) -> None:
    """Erase a collection with its subjects, faces and embeddings.

    Enrolments that are being stored are waited for; later ones find no collection.

    Raises:
        NotFound: no collection of this tenant has the id.
    """
    with tenant_transaction(tenant_id) as session:
        hold_subjects(session, tenant_id, collection_id)
        collection = seize_collection(session, tenant_id, collection_id)
        erased = erase_faces(session, tenant_id, ErasedScope.collection(collection_id))
        _audit(session, collection, actor, "deleted", {"faces": erased.count})
        session.execute(
            delete(Collection).where(
                Collection.tenant_id == tenant_id, Collection.id == collection_id
            )
        )


def _new_collection(tenant_id: UUID, wanted: NewCollection, model: ModelEntry) -> Collection:
    has_rule = wanted.threshold is not None or wanted.target_fpir is not None
    return Collection(
        id=new_id(),
        tenant_id=tenant_id,
        name=normal_name(wanted.name),
        model=model.identity,
        space=model.identity,
        dimensions=model.dimensions,
        threshold=wanted.threshold if has_rule else model.default_threshold,
        target_fpir=wanted.target_fpir,
        metadata_=wanted.metadata,
    )


def _flush(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        raise AlreadyExists(
            "You have a collection of this name",
            errors=(FieldError("/name", "the name is taken"),),
        ) from error


def _two_rules() -> Invalid:
    detail = "choose either threshold or target_fpir"
    return Invalid(errors=(FieldError("/threshold", detail), FieldError("/target_fpir", detail)))


def _audit(
    session: Session,
    collection: Collection,
    actor: Actor,
    verb: str,
    detail: dict[str, Any] | None = None,
) -> None:
    record_audit(
        session,
        collection.tenant_id,
        actor,
        f"collection.{verb}",
        "collection",
        collection.id,
        detail,
    )


def read_collection(tenant_id: UUID, collection_id: UUID) -> Collection:
    """Read a collection.

    Raises:
        NotFound: no collection of this tenant has the id.
    """
    with read_transaction(tenant_id) as session:
        return queries.find_collection(session, tenant_id, collection_id)


def list_collections(
    tenant_id: UUID, window: Window, *, name: str | None = None
) -> Sequence[Collection]:
    """Read collections of a window; with `name`, the one that is called so."""
    return recent_reads().read(
        tenant_id, lambda session: queries.list_collections(session, tenant_id, window, name)
    )
