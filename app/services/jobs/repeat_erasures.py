"""Use case of an operator: a restored database forgets again what was erased after its backup.

Services are stopped meanwhile, so nobody works at a job that is removed here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from sqlalchemy import text

from app.database.transactions import owner_transaction, tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.erasure_ledger import ErasedKind, ErasedThing
from app.domain.gallery import ErasedScope
from app.domain.request_errors import NotFound
from app.services.gallery.collections import delete_collection
from app.services.gallery.faces import delete_face
from app.services.gallery.subjects import delete_subject
from app.services.gallery.vectors import erase_faces
from app.services.jobs.delete_job import remove_job
from app.services.tenancy.api_keys import withdraw_api_key
from app.services.tenancy.delete_images import delete_image
from app.services.tenancy.record_audit import record_audit
from app.services.upkeep.erasure_ledger import note_repeated, unknown_entries

_TENANT_GOES = text("DELETE FROM tenants WHERE id = :tenant_id")
_SIZE_OF_JOB = text("""
UPDATE jobs SET deleted_at = coalesce(deleted_at, now()) WHERE tenant_id = :tenant_id AND id = :id
RETURNING total_items
""")

# An item that waits again would enrol its face again: a claim that nobody has makes it fail with
# `subject_deleted`.
_SPOIL_ITEM = text("""
UPDATE items SET subject_id = :face_id
WHERE tenant_id = :tenant_id AND job_id = :job_id AND seq = :item_seq AND state = 'pending'
""")


def repeat_erasures(things: Iterable[ErasedThing]) -> Counter[ErasedKind]:
    """Repeat what this database's own ledger does not know of, oldest first.

    Cut short, it can be done again; what is gone already is passed over.

    Returns:
        How many of each kind were repeated.

    Raises:
        StorageUnavailable, Unavailable: S3 did not delete an upload.
    """
    by_id = {thing.id: thing for thing in things}
    oldest_first = sorted(by_id.values(), key=lambda thing: thing.created_at)
    repeated: Counter[ErasedKind] = Counter()
    for thing in unknown_entries(oldest_first):
        try:
            _REPEAT[thing.kind](thing)
        except NotFound:
            pass  # made after the backup, or gone with something else
        else:
            repeated[thing.kind] += 1
        note_repeated(thing)
    return repeated


def _tenant(thing: ErasedThing) -> None:
    """Its uploads went with it, and S3 was not restored."""
    with owner_transaction() as session:
        faces = erase_faces(session, thing.tenant_id, ErasedScope.tenant()).count
        session.execute(_TENANT_GOES, {"tenant_id": thing.tenant_id})
        detail = {"faces": faces}
        record_audit(
            session, thing.tenant_id, SYSTEM, "tenant.erased", "tenant", thing.tenant_id, detail
        )


def _collection(thing: ErasedThing) -> None:
    delete_collection(thing.tenant_id, thing.target_id, SYSTEM)


def _subject(thing: ErasedThing) -> None:
    if thing.collection_id is not None:
        delete_subject(thing.tenant_id, thing.collection_id, thing.target_id, SYSTEM)


def _face(thing: ErasedThing) -> None:
    with tenant_transaction(thing.tenant_id) as session:
        values = {"face_id": thing.target_id, "job_id": thing.job_id, "item_seq": thing.item_seq}
        session.execute(_SPOIL_ITEM, {"tenant_id": thing.tenant_id, **values})
    if thing.collection_id is not None:
        delete_face(thing.tenant_id, thing.collection_id, thing.target_id, SYSTEM)


def _job(thing: ErasedThing) -> None:
    with tenant_transaction(thing.tenant_id) as session:
        values = {"tenant_id": thing.tenant_id, "id": thing.target_id}
        total_items = session.execute(_SIZE_OF_JOB, values).scalar_one_or_none()
        if total_items is None:
            raise NotFound("There is no such job")
        record_audit(session, thing.tenant_id, SYSTEM, "job.deleted", "job", thing.target_id)
    remove_job(thing.tenant_id, thing.target_id, total_items)


def _image(thing: ErasedThing) -> None:
    delete_image(thing.tenant_id, thing.target_id, SYSTEM)


def _api_key(thing: ErasedThing) -> None:
    withdraw_api_key(thing.tenant_id, thing.target_id)


_REPEAT: dict[ErasedKind, Callable[[ErasedThing], None]] = {
    ErasedKind.TENANT: _tenant,
    ErasedKind.COLLECTION: _collection,
    ErasedKind.SUBJECT: _subject,
    ErasedKind.FACE: _face,
    ErasedKind.JOB: _job,
    ErasedKind.IMAGE: _image,
    ErasedKind.API_KEY: _api_key,
}
