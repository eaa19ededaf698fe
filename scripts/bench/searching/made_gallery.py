"""A gallery of made faces, drawn from a stated distribution and written past the API."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from app.database.transactions import tenant_transaction
from app.domain.actor import SYSTEM
from app.models.collection import Collection
from app.services.gallery.collections import NewCollection, create_collection
from app.services.tenancy.tenants import create_tenant
from scripts.stack.databases import superuser
from scripts.stack.state import State

Floats = npt.NDArray[np.float32]

_ROWS_A_COPY = 100_000
# Strangers are alike at .12 on average, as SFace's are; two pictures of a person at .65.
_STRANGERS, _MATED = 0.12, 0.65

_WRITE = """
INSERT INTO faces (id, tenant_id, collection_id, image_sha256, face_no, box, quality, model, job_id,
  item_seq)
SELECT face_id, '{tenant}', '{collection}', sha256(uuid_send(face_id)), 0, '{{1,2,3,4}}', 0.9,
  '{model}', face_id, 0 FROM made;
INSERT INTO face_vectors_{dims} (face_id, space, tenant_id, collection_id, embedding)
SELECT face_id, '{space}', '{tenant}', '{collection}', embedding FROM made;
TRUNCATE made;
"""


def drawn(count: int, dims: int, draw: np.random.Generator) -> Floats:
    """Faces of as many strangers: unit vectors around a direction that all share."""
    vectors = draw.standard_normal((count, dims), dtype=np.float32) / np.float32(np.sqrt(dims))
    vectors *= np.float32(np.sqrt(1 - _STRANGERS))
    vectors[:, 0] += np.float32(np.sqrt(_STRANGERS))
    return unit(vectors)


def another_picture(faces: Floats, draw: np.random.Generator) -> Floats:
    """The same people again."""
    other = drawn(len(faces), faces.shape[1], draw)
    weight = np.float32((_MATED - _STRANGERS) / (1 - _STRANGERS))
    return unit(weight * faces + np.float32(np.sqrt(1 - weight**2)) * other)


def unit(vectors: Floats) -> Floats:
    """Of length 1."""
    made: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return made


def make_galleries(
    state: State, database: str, *, collections: int, faces: int, dims: int
) -> tuple[list[Collection], Floats]:
    """Collections of `faces` faces each, of one tenant; and the last one's faces."""
    draw = np.random.default_rng(faces * dims)
    tenant = create_tenant("bench-search")
    made = [
        create_collection(tenant.id, NewCollection(f"{dims}-{faces}-{number}"), SYSTEM)
        for number in range(collections)
    ]
    with superuser(state, database) as connection, connection.cursor() as cursor:
        # Keys that lead elsewhere are not looked up, and nobody follows the vectors.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(f"CREATE TEMP TABLE made (face_id uuid, embedding halfvec({dims:d}))")
        for collection in made:
            vectors = drawn(faces, dims, draw)
            for part in _copies(vectors, draw):
                cursor.copy_expert("COPY made FROM STDIN (FORMAT binary)", part)
                cursor.execute(_write(collection, dims))
        cursor.execute(
            "UPDATE collections SET face_count = %s, dimensions = %s WHERE tenant_id = %s",
            (faces, dims, str(tenant.id)),
        )
        cursor.execute("VACUUM ANALYZE")
    return [_read(collection) for collection in made], vectors


def table_bytes(state: State, database: str, dims: int) -> int:
    """What the vectors take in PostgreSQL, with their indexes."""
    with superuser(state, database) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_total_relation_size('face_vectors_{dims:d}')")
        (size,) = cursor.fetchone() or (0,)
        return int(size)


def _write(collection: Collection, dims: int) -> str:
    return _WRITE.format(
        tenant=collection.tenant_id,
        collection=collection.id,
        model=collection.model,
        space=collection.space,
        dims=dims,
    )


def _read(collection: Collection) -> Collection:
    with tenant_transaction(collection.tenant_id) as session:
        return session.get_one(Collection, collection.id)


def _copies(vectors: Floats, draw: np.random.Generator) -> Iterator[io.BytesIO]:
    """Binary COPY's rows of (id, vector), some thousands at a time."""
    dims = vectors.shape[1]
    row = np.dtype(
        [
            ("columns", ">i2"),
            ("id_bytes", ">i4"),
            ("id", "V16"),
            ("vector_bytes", ">i4"),
            ("dimensions", ">i2"),
            ("unused", ">i2"),
            ("vector", ">f2", dims),
        ]
    )
    for start in range(0, len(vectors), _ROWS_A_COPY):
        part = vectors[start : start + _ROWS_A_COPY]
        rows = np.zeros(len(part), row)
        rows["columns"], rows["id_bytes"], rows["vector_bytes"] = 2, 16, 4 + 2 * dims
        rows["dimensions"], rows["vector"] = dims, part
        rows["id"] = np.frombuffer(draw.bytes(16 * len(part)), "V16")
        head = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
        yield io.BytesIO(head + rows.tobytes() + struct.pack(">h", -1))
