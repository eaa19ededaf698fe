"""The gallery's writer: faces, their vectors and the collections' counts change here alone.

Locks are taken in one order by all who change a gallery: subject, faces, collection. (Whoever
deletes a collection holds all its subjects and it beforehand; whoever erases a single face keeps
the collection from being deleted first.) Every change of a vector writes its row of the outbox in
the same statement, while anybody follows the vectors.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Session

from app.database.bulk_rows import BulkTable
from app.domain.gallery import ErasedFaces, ErasedScope, GalleryRef, KnownFace, NewFace
from app.models.erasure import Erasure

_FACES = BulkTable(
    "bulk_faces",
    {
        "id": "uuid",
        "collection_id": "uuid",
        "subject_id": "uuid",
        "image_sha256": "bytea",
        "face_no": "smallint",
        "box": "integer[]",
        "quality": "real",
        "model": "text",
        "job_id": "uuid",
        "item_seq": "integer",
    },
)
_VECTORS = BulkTable("bulk_vectors", {"face_id": "uuid", "embedding": "halfvec"})

_COLUMNS = _FACES.column_names

# In the order of the unique key, so that two batches with the same photographs never block each
# other.
_INSERT_FACES = text(
    f"INSERT INTO faces (tenant_id, {_COLUMNS}) SELECT :tenant_id, {_COLUMNS} "  # noqa: S608 - columns of ours
    "FROM pg_temp.bulk_faces ORDER BY collection_id, image_sha256, face_no "
    "ON CONFLICT (collection_id, image_sha256, face_no) DO NOTHING RETURNING id"
)

_KNOWN = text("""
SELECT row.id AS proposed, faces.id, faces.subject_id FROM pg_temp.bulk_faces AS row
JOIN faces ON faces.collection_id = row.collection_id
  AND faces.image_sha256 = row.image_sha256 AND faces.face_no = row.face_no
WHERE row.id = ANY(:proposed)
""").bindparams(bindparam("proposed", type_=ARRAY(PG_UUID)))

_ADD_VECTORS = """
WITH added AS (
  INSERT INTO face_vectors_{dimensions:d} (face_id, space, tenant_id, collection_id, embedding)
  SELECT face_id, :space, :tenant_id, :collection_id, embedding FROM pg_temp.bulk_vectors
  ON CONFLICT (face_id, space) DO NOTHING
  RETURNING face_id
)
INSERT INTO vector_changes (tenant_id, collection_id, face_id, space, change)
SELECT :tenant_id, :collection_id, face_id, :space, 'added' FROM added
WHERE EXISTS (SELECT FROM vector_followers)
"""

# Held before their vectors are looked at: nobody gives a face a further vector behind our back.
_HOLD_FACES = """
SELECT count(*) FROM (SELECT FROM faces WHERE {scope} ORDER BY id FOR UPDATE) AS held
"""

_REMOVE_VECTORS = """
WITH short AS (
  DELETE FROM face_vectors_128 AS stored USING faces WHERE stored.face_id = faces.id AND {scope}
  RETURNING stored.collection_id, stored.face_id, stored.space
), long AS (
  DELETE FROM face_vectors_512 AS stored USING faces WHERE stored.face_id = faces.id AND {scope}
  RETURNING stored.collection_id, stored.face_id, stored.space
)
INSERT INTO vector_changes (tenant_id, collection_id, face_id, space, change)
SELECT :tenant_id, collection_id, face_id, space, 'removed'
FROM (SELECT * FROM short UNION ALL SELECT * FROM long) AS removed
WHERE EXISTS (SELECT FROM vector_followers)
"""

_DELETE_FACES = """
WITH erased AS (DELETE FROM faces WHERE {scope} RETURNING collection_id, image_sha256)
SELECT collection_id, count(*) AS faces, array_agg(image_sha256) FILTER (WHERE :one) AS digests
FROM erased GROUP BY collection_id
"""

_COUNT = text("UPDATE collections SET face_count = face_count + :faces WHERE id = :id")


def add_faces(session: Session, tenant_id: UUID, faces: Sequence[NewFace]) -> dict[UUID, KnownFace]:
    """Enrol faces of one tenant and make them searchable, each photograph once a collection.

    Returns, by the ids that were proposed, the faces that stand in the place of those not added.
    """
    if not faces:
        return {}
    _FACES.fill(session, (_row(face) for face in faces))
    added = set(session.execute(_INSERT_FACES, {"tenant_id": tenant_id}).scalars())
    new = [face for face in faces if face.face_id in added]
    _add_vectors(session, new)
    known = _known(session, [face.face_id for face in faces if face.face_id not in added])
    _count(session, Counter(face.gallery.collection_id for face in new))
    return known


def erase_faces(session: Session, tenant_id: UUID, scope: ErasedScope) -> ErasedFaces:
    """Erase faces with all their vectors, whatever their space, and take them off the counts.

    What names them in results of earlier jobs is scrubbed afterwards, and not shown until then.

    Whoever erases a whole subject or collection holds it beforehand, so that it gets no new faces
    meanwhile, and deletes it afterwards.
    """
    _note_erasure(session, tenant_id, scope)
    condition, values = _scope_of(tenant_id, scope)
    if not session.scalar(text(_HOLD_FACES.format(scope=condition)), values):
        return ErasedFaces(0)
    session.execute(text(_REMOVE_VECTORS.format(scope=condition)), values)
    one = scope.face_id is not None
    rows = session.execute(
        text(_DELETE_FACES.format(scope=condition)), {**values, "one": one}
    ).all()
    _count(session, {row.collection_id: -row.faces for row in rows})
    digest = bytes(rows[0].digests[0]) if one and rows else None
    return ErasedFaces(sum(row.faces for row in rows), digest)


def _note_erasure(session: Session, tenant_id: UUID, scope: ErasedScope) -> None:
    """A tenant's results go with it."""
    if scope.collection_id is not None:
        session.add(
            Erasure(
                tenant_id=tenant_id,
                collection_id=scope.collection_id,
                subject_id=scope.subject_id,
                face_id=scope.face_id,
            )
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
    }


def _known(session: Session, proposed: Sequence[UUID]) -> dict[UUID, KnownFace]:
    if not proposed:
        return {}
    rows = session.execute(_KNOWN, {"proposed": proposed})
    return {row.proposed: KnownFace(row.id, row.subject_id) for row in rows}


def _add_vectors(session: Session, faces: Sequence[NewFace]) -> None:
    """One statement a gallery."""
    of_gallery: dict[GalleryRef, list[NewFace]] = defaultdict(list)
    for face in faces:
        of_gallery[face.gallery].append(face)
    for gallery, members in of_gallery.items():
        _VECTORS.fill(session, ({"face_id": f.face_id, "embedding": f.embedding} for f in members))
        session.execute(
            text(_ADD_VECTORS.format(dimensions=gallery.dimensions)),
            {
                "space": gallery.space,
                "tenant_id": gallery.tenant_id,
                "collection_id": gallery.collection_id,
            },
        )


def _scope_of(tenant_id: UUID, scope: ErasedScope) -> tuple[str, dict[str, UUID]]:
    """Which rows of `faces` are meant: a condition and its values."""
    columns = {
        "tenant_id": tenant_id,
        "collection_id": scope.collection_id,
        "subject_id": scope.subject_id,
        "id": scope.face_id,
    }
    named = {column: value for column, value in columns.items() if value is not None}
    return " AND ".join(f"faces.{column} = :{column}" for column in named), named


def _count(session: Session, faces: Mapping[UUID, int]) -> None:
    """Last in every change, and in id order: it locks the collections."""
    for collection_id in sorted(faces):
        session.execute(_COUNT, {"faces": faces[collection_id], "id": collection_id})
