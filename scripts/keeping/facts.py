"""What is true of a database at one moment, by which its restored copy is judged.

Row counts of every table, and what a few searches find: ids and similarities, no vector.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from psycopg2 import extensions, sql

from scripts.keeping.server import one, rows

# What the restored copy has of its own, or what others make anew.
_UNCOMPARED = frozenset({"workers", "chore_turns"})
_SAMPLES_A_TABLE = 8
_NEIGHBOURS = 5
# halfvec distances are computed in float4 and may differ in the last digit from CPU to CPU.
_TOLERANCE = 1e-4

_TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
ORDER BY relname
"""

# Half of the oldest, half of the newest: the probe is an enrolled face itself. `+ 0` keeps an
# approximate index out.
_SEARCH = """
WITH probe AS (
  SELECT * FROM {table} WHERE face_id IN (
    (SELECT face_id FROM {table} ORDER BY face_id LIMIT %(half)s)
    UNION (SELECT face_id FROM {table} ORDER BY face_id DESC LIMIT %(half)s)
  )
)
SELECT probe.face_id::text, probe.space, array_agg(near.similarity ORDER BY near.similarity DESC)
FROM probe CROSS JOIN LATERAL (
  SELECT 1 - (stored.embedding <=> probe.embedding) AS similarity FROM {table} AS stored
  WHERE stored.collection_id = probe.collection_id AND stored.space = probe.space
  ORDER BY (stored.embedding <=> probe.embedding) + 0 LIMIT %(nearest)s
) AS near
GROUP BY probe.face_id, probe.space ORDER BY probe.face_id, probe.space
"""


@dataclass(frozen=True)
class Facts:
    """Row counts by table, searches by table of vectors, and the schema's revision."""

    revision: str
    counts: Mapping[str, int]
    searches: Mapping[str, list[Any]]

    @classmethod
    def of(cls, connection: extensions.connection) -> Facts:
        """Read them in the connection's transaction."""
        names = [cast("str", row[0]) for row in rows(connection, _TABLES)]
        counts = {name: _count(connection, name) for name in names if name not in _UNCOMPARED}
        searches = {
            name: _search(connection, name) for name in names if name.startswith("face_vectors_")
        }
        revision = str(one(connection, "SELECT version_num FROM public.alembic_version"))
        return cls(revision, counts, searches)

    @classmethod
    def parse(cls, told: Mapping[str, Any]) -> Facts:
        """What a manifest says."""
        return cls(told["revision"], told["counts"], told["searches"])

    def differences(self, other: Facts) -> list[str]:
        """What is otherwise in `other`, a sentence each."""
        found = (
            []
            if self.revision == other.revision
            else [f"the schema is at {other.revision}, not at {self.revision}"]
        )
        for table in sorted({*self.counts, *other.counts}):
            wanted, there = self.counts.get(table, 0), other.counts.get(table, 0)
            if wanted != there:
                found.append(f"{table} has {there} rows, not {wanted}")
        for table, searches in self.searches.items():
            if not _same(searches, other.searches.get(table, [])):
                found.append(f"searches of {table} find other faces, or none")
        return found


def _count(connection: extensions.connection, table: str) -> int:
    statement = sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(table))
    return int(cast("int", one(connection, statement)))


def _search(connection: extensions.connection, table: str) -> list[Any]:
    statement = sql.SQL(_SEARCH).format(table=sql.SQL("public.{}").format(sql.Identifier(table)))
    values = {"half": _SAMPLES_A_TABLE // 2, "nearest": _NEIGHBOURS}
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [
            [face, space, [round(float(each), 6) for each in similarities]]
            for face, space, similarities in cursor.fetchall()
        ]


def _same(wanted: list[Any], found: list[Any]) -> bool:
    return len(wanted) == len(found) and all(
        (face, space) == (other_face, other_space)
        and len(near) == len(other_near)
        and all(abs(a - b) <= _TOLERANCE for a, b in zip(near, other_near, strict=True))
        for (face, space, near), (other_face, other_space, other_near) in zip(
            wanted, found, strict=True
        )
    )
