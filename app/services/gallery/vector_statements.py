"""The statements of app/services/gallery/vectors.py, which alone uses them."""

from __future__ import annotations

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from app.database.bulk_rows import BulkTable

_IDS = ARRAY(PG_UUID)

FACES = BulkTable(
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
        "place_sha256": "bytea",
        "replaces": "boolean",
    },
)
VECTORS = BulkTable("bulk_vectors", {"face_id": "uuid", "embedding": "halfvec"})

_COLUMNS = ", ".join(name for name in FACES.columns if name != "replaces")
_KEY = "collection_id, image_sha256, face_no"

_SAME = """faces.collection_id = row.collection_id AND faces.image_sha256 = row.image_sha256
  AND faces.face_no = row.face_no"""
# Of the same person from the same place, where another photograph lay.
_OUTDATED = """row.replaces AND faces.collection_id = row.collection_id
  AND faces.place_sha256 = row.place_sha256 AND faces.image_sha256 <> row.image_sha256
  AND faces.subject_id IS NOT DISTINCT FROM row.subject_id"""

# All at once: a batch that holds a face here and waits for one there would block another.
HOLD_KNOWN = text(f"""
SELECT count(*) FROM (
  SELECT FROM faces WHERE id IN (
    SELECT faces.id FROM pg_temp.bulk_faces AS row JOIN faces ON {_SAME}
    UNION SELECT faces.id FROM pg_temp.bulk_faces AS row JOIN faces ON {_OUTDATED}
  ) ORDER BY {_KEY} FOR UPDATE
) AS held
""")  # noqa: S608 - SQL of ours

# What somebody else has enrolled in between is held by this, and stays as it is. Of a photograph
# that comes twice the first counts.
INSERT_FACES = text(f"""
INSERT INTO faces (tenant_id, {_COLUMNS})
SELECT DISTINCT ON ({_KEY}) :tenant_id, {_COLUMNS} FROM pg_temp.bulk_faces
ORDER BY {_KEY}, job_id, item_seq
ON CONFLICT ({_KEY}) DO UPDATE SET created_at = faces.created_at WHERE false RETURNING id
""")  # noqa: S608 - columns of ours

KNOWN = text(f"""
SELECT row.id AS proposed, faces.id, faces.subject_id
FROM pg_temp.bulk_faces AS row JOIN faces ON {_SAME}
WHERE row.id = ANY(:proposed) ORDER BY row.job_id, row.item_seq
""").bindparams(bindparam("proposed", type_=_IDS))  # noqa: S608 - SQL of ours

MOVE = text(f"""
UPDATE faces SET subject_id = row.subject_id, place_sha256 = row.place_sha256,
  job_id = row.job_id, item_seq = row.item_seq
FROM pg_temp.bulk_faces AS row WHERE row.id = ANY(:proposed) AND {_SAME}
""").bindparams(bindparam("proposed", type_=_IDS))  # noqa: S608 - SQL of ours

TELL_MOVED = text("""
INSERT INTO vector_changes (tenant_id, collection_id, face_id, space, change)
SELECT :tenant_id, collection_id, face_id, space, change
FROM (
  SELECT collection_id, face_id, space FROM face_vectors_128
  UNION ALL SELECT collection_id, face_id, space FROM face_vectors_512
) AS stored, unnest(ARRAY['removed', 'added']) AS change
WHERE face_id = ANY(:moved) AND EXISTS (SELECT FROM vector_followers)
ORDER BY face_id, space, change DESC
""").bindparams(bindparam("moved", type_=_IDS))

REPLACED = text(f"""
SELECT DISTINCT ON (faces.id) faces.id, faces.collection_id, row.id AS proposed
FROM pg_temp.bulk_faces AS row JOIN faces ON {_OUTDATED}
WHERE row.id = ANY(:proposed) AND faces.id <> ALL(:standing) ORDER BY faces.id, row.face_no
""").bindparams(bindparam("proposed", type_=_IDS), bindparam("standing", type_=_IDS))  # noqa: S608 - SQL of ours

_PLACE = "sha256(convert_to(items.image_uri, 'UTF8'))"

# Outdated where they lay, but shown by another object of the same person: as far as results that
# are kept know. Each becomes that object's, of several the one that was looked at last.
KEEP_SHOWN = text(f"""
UPDATE faces SET place_sha256 = shown.place_sha256, job_id = shown.job_id, item_seq = shown.seq
FROM (
  SELECT DISTINCT ON (faces.id) faces.id, {_PLACE} AS place_sha256, items.job_id, items.seq
  FROM faces JOIN detections ON detections.face_id = faces.id
    JOIN items ON items.job_id = detections.job_id AND items.seq = detections.item_seq
  WHERE faces.id = ANY(:outdated) AND items.image_sha256 = faces.image_sha256
    AND items.subject_id IS NOT DISTINCT FROM faces.subject_id
    AND {_PLACE} <> faces.place_sha256
    AND NOT EXISTS (
      SELECT FROM items AS later WHERE later.subject_id = items.subject_id
        AND later.image_uri = items.image_uri AND later.image_sha256 <> items.image_sha256
        AND (later.finished_at, later.job_id, later.seq)
          > (items.finished_at, items.job_id, items.seq))
    AND NOT EXISTS (
      SELECT FROM faces AS later WHERE later.collection_id = faces.collection_id
        AND later.place_sha256 = {_PLACE} AND later.image_sha256 <> faces.image_sha256
        AND later.subject_id IS NOT DISTINCT FROM faces.subject_id
        AND (later.job_id, later.item_seq) > (items.job_id, items.seq))
  ORDER BY faces.id, items.finished_at DESC, items.job_id DESC, items.seq DESC
) AS shown
WHERE faces.id = shown.id RETURNING faces.id
""").bindparams(bindparam("outdated", type_=_IDS))  # noqa: S608 - SQL of ours

ADD_VECTORS = """
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
HOLD_FACES = """
SELECT count(*) AS faces, {named} AS named FROM (
  SELECT id FROM faces WHERE {scope} ORDER BY collection_id, image_sha256, face_no FOR UPDATE
) AS held
"""

REMOVE_VECTORS = """
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

DELETE_FACES = """
WITH erased AS (
  DELETE FROM faces WHERE {scope} RETURNING collection_id, subject_id, id, image_sha256
)
SELECT {by}, count(*) AS faces FROM erased GROUP BY {by}
"""

COUNT = text("UPDATE collections SET face_count = face_count + :faces WHERE id = :id")
