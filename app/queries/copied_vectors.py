"""The vectors of a gallery by binary COPY: what PostgreSQL sends, as arrays, a block at a time.

A COPY of a query, so that row-level security sees one tenant only. Not for the API: psycopg2 cannot
`COPY` under gevent.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from app.domain.gallery import GalleryRef

# A block's vectors stay in a processor's cache while they are made floats and multiplied.
ROWS_A_BLOCK = 8192

_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_HEADER_BYTES = len(_SIGNATURE) + 8
_TRAILER = struct.pack(">h", -1)

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class FaceBlock:
    """Some faces of a gallery: `ids` (n, 16) bytes, `vectors` (n, d) float32 as they are stored."""

    ids: npt.NDArray[np.uint8]
    vectors: Floats


def copy_vectors(
    session: Session,
    gallery: GalleryRef,
    take: Callable[[FaceBlock], None],
    face_ids: Sequence[UUID] | None = None,
) -> int:
    """Hand the faces of the collection's space to `take`, in no order; returns how many there are.

    All of them, or those of `face_ids` that are there. One statement, hence one snapshot. What is
    held here at a time is one block.
    """
    reader = _BlockReader(gallery.dimensions, take)
    with closing(session.connection().connection.cursor()) as cursor:
        rows = cursor.mogrify(
            f"SELECT face_id, embedding FROM face_vectors_{gallery.dimensions:d} "  # noqa: S608 - an integer
            "WHERE collection_id = %s AND space = %s"
            + (" AND face_id = ANY (CAST(%s AS uuid[]))" if face_ids is not None else ""),
            (
                str(gallery.collection_id),
                gallery.space,
                *([list(map(str, face_ids))] if face_ids is not None else ()),
            ),
        ).decode()
        cursor.copy_expert(f"COPY ({rows}) TO STDOUT (FORMAT binary)", reader)
    return reader.finish()


class _BlockReader:
    """What `copy_expert` writes to: rows of one length each, gathered into blocks."""

    def __init__(self, dimensions: int, take: Callable[[FaceBlock], None]) -> None:
        self._row: np.dtype[Any] = np.dtype(
            [
                ("columns", ">i2"),
                ("id_bytes", ">i4"),
                ("id", "u1", 16),
                ("vector_bytes", ">i4"),
                ("dimensions", ">i2"),
                ("unused", ">i2"),
                ("vector", ">f2", dimensions),
            ]
        )
        self._take = take
        self._parts: list[bytes] = []
        self._held = 0
        self._begun = False
        self._count = 0

    def write(self, data: bytes) -> None:
        """Called by psycopg2 for each message: a row, or the header with one."""
        self._parts.append(data)
        self._held += len(data)
        if self._held >= ROWS_A_BLOCK * self._row.itemsize:
            self._hand_over()

    def finish(self) -> int:
        """Hand over the rest."""
        self._hand_over()
        if self._parts and self._parts[0] != _TRAILER:
            raise ValueError("the copy of a gallery's vectors was cut short")
        return self._count

    def _hand_over(self) -> None:
        data = b"".join(self._parts)
        if not self._begun:
            if not data.startswith(_SIGNATURE):
                raise ValueError("PostgreSQL sent no binary copy")
            data = data[_HEADER_BYTES:]
            self._begun = True
        rows = np.frombuffer(data, self._row, len(data) // self._row.itemsize)
        rest = data[rows.nbytes :]
        self._parts, self._held = [rest] if rest else [], len(rest)
        if len(rows):
            self._count += len(rows)
            self._take(FaceBlock(rows["id"], rows["vector"].astype(np.float32)))
