"""The gallery's writer: faces, their vectors and the collections' counts change here alone.

Locks are taken in one order by all who change a gallery: subjects by id; faces, those that are
there and then new ones, by their unique key; collections by id. (Whoever deletes a collection holds
all its subjects and it beforehand; whoever erases a single face keeps the collection from being
deleted first.) Every change of a vector writes its row of the outbox in the same statement, while
anybody follows the vectors. A face that becomes another person's is one removed and added again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.domain.gallery import (
    AddedFaces,
    ErasedFaces,
    ErasedScope,
    GalleryRef,
    KnownFace,
    NewFace,
)
from app.models.erasure import Erasure
from app.services.gallery import vector_statements as sql


def add_faces(session: Session, tenant_id: UUID, faces: Sequence[NewFace]) -> AddedFaces:
    """Enrol faces of one tenant and make them searchable, each photograph once a collection.

    Those that move or replace others do so, in the order of their jobs. Whoever enrols faces that
    replace others holds their subjects beforehand, so that nobody else does the same meanwhile.
    """
    if not faces:
        return AddedFaces()
    sql.FACES.fill(session, (_row(face) for face in faces))
    session.execute(sql.HOLD_KNOWN)
    added = set(session.execute(sql.INSERT_FACES, {"tenant_id": tenant_id}).scalars())
    new = [face for face in faces if face.face_id in added]
    _add_vectors(session, new)
    known = _known(session, {face.face_id: face for face in faces if face.face_id not in added})
    _move(session, tenant_id, known)
    replaced = _replace(session, tenant_id, faces, known)
    counts = Counter(face.gallery.collection_id for face in new)
    for face in faces:
        counts[face.gallery.collection_id] -= len(replaced.get(face.face_id, ()))
    _count(session, counts)
    return AddedFaces(known, replaced)


def erase_faces(session: Session, tenant_id: UUID, scope: ErasedScope) -> ErasedFaces:
    """Erase faces with all their vectors, whatever their space, and take them off the counts.

    What names them in results of earlier jobs is scrubbed afterwards, and not shown until then.

    Whoever erases whole subjects or a collection holds them beforehand, so that they get no new
    faces meanwhile, and deletes them afterwards.
    """
    erased, counts = _erase(session, tenant_id, scope)
    _count(session, counts)
    return erased


def _erase(
    session: Session, tenant_id: UUID, scope: ErasedScope
) -> tuple[ErasedFaces, Counter[UUID]]:
    """Erase without counting; returns what to count by collection too."""
    condition, values = _scope_of(tenant_id, scope)
    counts: Counter[UUID] = Counter()
    of_subject: Counter[UUID] = Counter()
    digests: dict[UUID, bytes] = {}
    named = "array_agg(id)" if scope.face_ids is not None else "NULL"
    hold = text(sql.HOLD_FACES.format(scope=condition, named=named))
    held = session.execute(hold, values).one()
    # Before they go: the ledger of erasures asks which item had enrolled them.
    _note_erasure(session, tenant_id, scope, held.named or ())
    if held.faces:
        session.execute(text(sql.REMOVE_VECTORS.format(scope=condition)), values)
        by = _told_of(scope)
        statement = sql.DELETE_FACES.format(scope=condition, by=", ".join(by))
        for row in session.execute(text(statement), values).mappings():
            counts[row["collection_id"]] -= row["faces"]
            if "subject_id" in by:
                of_subject[row["subject_id"]] = row["faces"]
            if "id" in by:
                digests[row["id"]] = bytes(row["image_sha256"])
    return ErasedFaces(-counts.total(), of_subject, digests), counts


def _told_of(scope: ErasedScope) -> list[str]:
    """By which columns the faces of a scope are told apart: by few, where there may be many."""
    if scope.face_ids is not None:
        return ["collection_id", "id", "image_sha256"]
    return ["collection_id", "subject_id"] if scope.subject_ids is not None else ["collection_id"]


def _note_erasure(
    session: Session, tenant_id: UUID, scope: ErasedScope, face_ids: Iterable[UUID]
) -> None:
    """A tenant's results go with it."""
    if scope.collection_id is None:
        return
    whose: list[dict[str, UUID]] = [{}]
    if scope.face_ids is not None:
        whose = [{"face_id": face_id} for face_id in face_ids]
    elif scope.subject_ids is not None:
        whose = [{"subject_id": subject_id} for subject_id in scope.subject_ids]
    session.add_all(
        Erasure(tenant_id=tenant_id, collection_id=scope.collection_id, **ids) for ids in whose
    )
    session.flush()


def _row(face: NewFace) -> dict[str, object]:
    return {
        "id": face.face_id,
        "collection_id": face.gallery.collection_id,
        "subject_id": face.subject_id,
        "image_sha256": face.image_sha256,
        "face_no": face.face_no,
        "box": face.box,
        "quality": face.quality,
        "model": face.model,
        "job_id": face.job_id,
        "item_seq": face.item_seq,
        "place_sha256": face.place_sha256,
        "replaces": face.replaces,
    }


def _known(session: Session, proposed: Mapping[UUID, NewFace]) -> dict[UUID, KnownFace]:
    """What stands in the place of each; one photograph may go through several hands."""
    known: dict[UUID, KnownFace] = {}
    if proposed:
        owners: dict[UUID, UUID | None] = {}
        for row in session.execute(sql.KNOWN, {"proposed": list(proposed)}):
            owner, face = owners.get(row.id, row.subject_id), proposed[row.proposed]
            if face.moves and face.subject_id not in {None, owner}:
                known[face.face_id] = KnownFace(row.id, face.subject_id, True, owner)
                owner = face.subject_id
            else:
                known[face.face_id] = KnownFace(row.id, owner)
            owners[row.id] = owner
    return known


def _move(session: Session, tenant_id: UUID, known: Mapping[UUID, KnownFace]) -> None:
    """Make faces those of the last person to whom they were moved."""
    last = {face.face_id: proposed for proposed, face in known.items() if face.moved}
    if last:
        session.execute(sql.MOVE, {"proposed": list(last.values())})
        session.execute(sql.TELL_MOVED, {"tenant_id": tenant_id, "moved": list(last)})


def _replace(
    session: Session, tenant_id: UUID, faces: Sequence[NewFace], known: Mapping[UUID, KnownFace]
) -> dict[UUID, list[UUID]]:
    """Erase what faces replace that are now those of whom they were proposed for; not yet counted.

    What came in with them, or stands in the place of one of them, is not replaced by another. What
    another object of the same person still shows is not either: it becomes that object's.
    """
    replaced: dict[UUID, list[UUID]] = defaultdict(list)
    standing = {face.face_id: known.get(face.face_id) for face in faces}
    proposed = [
        face.face_id
        for face in faces
        if face.replaces
        and ((found := standing[face.face_id]) is None or found.subject_id == face.subject_id)
    ]
    if proposed:
        kept = [found.face_id if found else face_id for face_id, found in standing.items()]
        rows = session.execute(sql.REPLACED, {"proposed": proposed, "standing": kept}).all()
        shown = _keep_shown(session, [row.id for row in rows])
        rows = [row for row in rows if row.id not in shown]
        for row in rows:
            replaced[row.proposed].append(row.id)
        for collection_id in {row.collection_id for row in rows}:
            outdated = [row.id for row in rows if row.collection_id == collection_id]
            _erase(session, tenant_id, ErasedScope.faces(collection_id, outdated))
    return replaced


def _keep_shown(session: Session, outdated: Sequence[UUID]) -> set[UUID]:
    """Which of the faces another object still shows, whose they are from now on."""
    if not outdated:
        return set()
    return set(session.execute(sql.KEEP_SHOWN, {"outdated": list(outdated)}).scalars())


def _add_vectors(session: Session, faces: Sequence[NewFace]) -> None:
    """One statement a gallery."""
    of_gallery: dict[GalleryRef, list[NewFace]] = defaultdict(list)
    for face in faces:
        of_gallery[face.gallery].append(face)
    for gallery, members in of_gallery.items():
        sql.VECTORS.fill(
            session, ({"face_id": f.face_id, "embedding": f.embedding} for f in members)
        )
        session.execute(
            text(sql.ADD_VECTORS.format(dimensions=gallery.dimensions)),
            {
                "space": gallery.space,
                "tenant_id": gallery.tenant_id,
                "collection_id": gallery.collection_id,
            },
        )


def _scope_of(tenant_id: UUID, scope: ErasedScope) -> tuple[str, dict[str, Any]]:
    """Which rows of `faces` are meant: a condition and its values."""
    conditions = {
        "faces.tenant_id = :tenant_id": ("tenant_id", tenant_id),
        "faces.collection_id = :collection_id": ("collection_id", scope.collection_id),
        "faces.subject_id = ANY(CAST(:subjects AS uuid[]))": ("subjects", scope.subject_ids),
        "faces.id = ANY(CAST(:faces AS uuid[]))": ("faces", scope.face_ids),
    }
    meant = {where: named for where, named in conditions.items() if named[1] is not None}
    return " AND ".join(meant), dict(meant.values())


def _count(session: Session, faces: Mapping[UUID, int]) -> None:
    """Last in every change, and in id order: it locks the collections."""
    for collection_id in sorted(faces):
        session.execute(sql.COUNT, {"faces": faces[collection_id], "id": collection_id})
