"""A database with many enrolled faces, made by the server itself."""

from __future__ import annotations

from scripts.keeping.server import Server, rows

_PEOPLE_A_COLLECTION = 5000
_FACES_A_PERSON = 2

# Random unit vectors: what compresses worst, as real embeddings do.
_FILL = """
INSERT INTO tenants (id, name) VALUES (gen_random_uuid(), 'bench');
INSERT INTO collections (id, tenant_id, name, model, space, dimensions, threshold)
SELECT gen_random_uuid(), tenants.id, 'bench ' || n, 'SFace', 'SFace', 128, 0.4
FROM tenants, generate_series(1, greatest(1, %(people)s / %(share)s)) AS n;
INSERT INTO subjects (id, tenant_id, collection_id, external_id)
SELECT gen_random_uuid(), c.tenant_id, c.id, 'person ' || n
FROM (
  SELECT *, row_number() OVER (ORDER BY id) AS no, count(*) OVER () AS of FROM collections
) AS c, generate_series(1, %(people)s) AS n WHERE n %% c.of = c.no - 1;
INSERT INTO faces (id, tenant_id, collection_id, subject_id, image_sha256, face_no, box, quality,
  model, job_id, item_seq)
SELECT gen_random_uuid(), tenant_id, collection_id, id,
  sha256(convert_to(id::text || n, 'UTF8')), 0, '{10,20,80,100}', 0.8, 'SFace', gen_random_uuid(), n
FROM subjects, generate_series(1, %(each)s) AS n;
INSERT INTO face_vectors_128 (face_id, space, tenant_id, collection_id, embedding)
SELECT id, 'SFace', tenant_id, collection_id, (
  SELECT l2_normalize(array_agg(random_normal())::real[]::halfvec)
  FROM generate_series(1, 128) WHERE faces.id IS NOT NULL)
FROM faces;
UPDATE collections SET face_count = (
  SELECT count(*) FROM faces WHERE collection_id = collections.id)
"""


def fill(database: Server, faces: int) -> None:
    """Enrol so many faces, two a person, up to 10,000 a collection."""
    people = max(1, faces // _FACES_A_PERSON)
    values = {"people": people, "share": _PEOPLE_A_COLLECTION, "each": _FACES_A_PERSON}
    with database.connect() as connection:
        with connection.cursor() as cursor:
            cursor.execute(_FILL, values)
        rows(connection, "VACUUM ANALYZE")


def answers(database: Server, probes: int = 20) -> list[tuple[object, ...]]:
    """Whom searches with new faces find: the same probes each time, the nearest five of each."""
    with database.connect() as connection:
        rows(connection, "SELECT setseed(0.5)")
        return rows(
            connection,
            """
WITH probe AS MATERIALIZED (
  SELECT n, (SELECT l2_normalize(array_agg(random_normal())::real[]::halfvec)
    FROM generate_series(1, 128) WHERE n > 0) AS embedding
  FROM generate_series(1, %s) AS n
)
SELECT n, face_id::text FROM probe CROSS JOIN LATERAL (
  SELECT face_id FROM face_vectors_128 AS stored
  ORDER BY stored.embedding <=> probe.embedding, face_id LIMIT 5
) AS near ORDER BY n, face_id""",
            probes,
        )


def size_of(database: Server) -> int:
    """How many bytes a database has."""
    with database.connect() as connection:
        return int(str(rows(connection, "SELECT pg_database_size(current_database())")[0][0]))
