"""Many rows to PostgreSQL at once: binary COPY into a temporary table, read by the next statement.

A temporary table, because `COPY` into one with row-level security is refused. Not for the API:
psycopg2 cannot `COPY` under gevent.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from sqlalchemy.orm import Session

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)
_NULL = struct.pack(">i", -1)
_JSONB_VERSION = b"\x01"
_INTEGER_OID, _REAL_OID = 23, 700
_FILLED = "bulk_tables"


def _array(oid: int, code: str) -> Callable[[Sequence[float]], bytes]:
    def encode(values: Sequence[float]) -> bytes:
        body = b"".join(struct.pack(f">i{code}", 4, value) for value in values)
        return struct.pack(">iiIii", 1, 0, oid, len(values), 1) + body

    return encode


def _halfvec(values: Sequence[float]) -> bytes:
    return struct.pack(f">hh{len(values)}e", len(values), 0, *values)


# How a value travels, by its column's type: the formats of PostgreSQL's and pgvector's `recv`.
_ENCODERS: Mapping[str, Callable[[Any], bytes]] = {
    "boolean": struct.Struct(">?").pack,
    "smallint": struct.Struct(">h").pack,
    "integer": struct.Struct(">i").pack,
    "real": struct.Struct(">f").pack,
    "double precision": struct.Struct(">d").pack,
    "text": str.encode,
    "bytea": bytes,
    "uuid": lambda value: value.bytes,
    "jsonb": lambda value: _JSONB_VERSION + json.dumps(value).encode(),
    "integer[]": _array(_INTEGER_OID, "i"),
    "real[]": _array(_REAL_OID, "f"),
    "halfvec": _halfvec,
}


@dataclass(frozen=True)
class BulkTable:
    """A temporary table by the name and the columns (name to type) of the rows it takes."""

    name: str
    columns: Mapping[str, str]

    @property
    def column_names(self) -> str:
        """The columns in order, as a statement lists them."""
        return ", ".join(self.columns)

    def fill(self, session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
        """Copy rows in, absent values as NULL, in the place of those that were there.

        They are gone when the transaction ends.
        """
        used: set[str] = session.info.setdefault(_FILLED, set())
        columns = ", ".join(f"{name} {kind}" for name, kind in self.columns.items())
        with closing(session.connection().connection.cursor()) as cursor:
            cursor.execute(
                f"CREATE TEMP TABLE IF NOT EXISTS {self.name} ({columns}) ON COMMIT DELETE ROWS"
            )
            if self.name in used:
                cursor.execute(f"DELETE FROM pg_temp.{self.name}")  # noqa: S608 - a name of ours
            used.add(self.name)
            cursor.copy_expert(
                f"COPY pg_temp.{self.name} FROM STDIN (FORMAT binary)", BytesIO(self._encode(rows))
            )

    def _encode(self, rows: Iterable[Mapping[str, Any]]) -> bytes:
        encoders = [(name, _ENCODERS[kind]) for name, kind in self.columns.items()]
        count = struct.pack(">h", len(encoders))
        parts = [_SIGNATURE]
        for row in rows:
            parts.append(count)
            for name, encode in encoders:
                value = row.get(name)
                if value is None:
                    parts.append(_NULL)
                else:
                    data = encode(value)
                    parts += (struct.pack(">i", len(data)), data)
        parts.append(_TRAILER)
        return b"".join(parts)
