"""Which indexes are larger than what is in them, by an estimate from statistics."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg2 import extensions

from scripts.keeping.server import rows

# Bytes of an entry of a B-tree beside its columns: header and pointer; and how full a new page is.
_ENTRY = 12
_FILL = 0.9
_UNKNOWN_WIDTH = 16
# An element of an HNSW index: its vector, two headers, and places for neighbours (m = 16 unless
# set otherwise; twice as many at the lowest level, of which there is one for each element).
_HNSW_NEIGHBOUR = 6
_HNSW_HEADERS = 64

_INDEXES = f"""
SELECT index.oid::regclass::text, index.relpages::bigint * current_setting('block_size')::bigint,
  am.amname = 'hnsw', greatest(index.reltuples, 0) * CASE WHEN am.amname = 'hnsw' THEN
    {_HNSW_HEADERS} + coalesce(sum(greatest(att.atttypmod, 0)
      * CASE WHEN format_type(att.atttypid, NULL) = 'halfvec' THEN 2 ELSE 4 END), 0)
    + {_HNSW_NEIGHBOUR} * 3 * coalesce((SELECT option_value::integer
      FROM pg_options_to_table(index.reloptions) WHERE option_name = 'm'), 16)
  ELSE {_ENTRY} + coalesce(sum(coalesce(stats.avg_width, {_UNKNOWN_WIDTH})), 0) + 8 END / {_FILL}
FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid
JOIN pg_class AS tab ON tab.oid = indrelid JOIN pg_am AS am ON am.oid = index.relam
JOIN pg_attribute AS att ON att.attrelid = index.oid
LEFT JOIN pg_attribute AS col ON col.attrelid = tab.oid
  AND col.attnum = indkey[att.attnum - 1] AND col.attnum > 0
LEFT JOIN pg_stats AS stats ON stats.schemaname = 'public' AND stats.tablename = tab.relname
  AND stats.attname = col.attname
WHERE index.relkind = 'i' AND tab.relnamespace = 'public'::regnamespace
  AND am.amname IN ('btree', 'hnsw') AND indisvalid
GROUP BY index.oid, index.relpages, index.reltuples, index.reloptions, am.amname
ORDER BY 2 DESC
"""  # noqa: S608 - numbers of ours

# What a REINDEX CONCURRENTLY that was cut short leaves behind.
_LEFT_OVER = r"""
SELECT index.oid::regclass::text FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid
WHERE NOT indisvalid AND index.relkind = 'i' AND index.relname ~ '_cc(new|old)\d*$'
  AND index.relnamespace = 'public'::regnamespace
"""


@dataclass(frozen=True)
class IndexSize:
    """An index: its quoted name, how large it is, and how large it would be if it were new."""

    name: str
    actual: int
    expected: int
    is_vector: bool

    @property
    def bloat(self) -> float:
        """Which share of it holds nothing."""
        return max(0.0, 1 - self.expected / self.actual) if self.actual else 0.0


def index_sizes(connection: extensions.connection) -> list[IndexSize]:
    """B-trees and indexes of vectors, largest first."""
    page = 8192
    return [
        IndexSize(str(name), int(str(actual)), int(float(str(expected))) + 2 * page, bool(vector))
        for name, actual, vector, expected in rows(connection, _INDEXES)
    ]


def left_over(connection: extensions.connection) -> list[str]:
    """Indexes that nobody uses."""
    return [str(row[0]) for row in rows(connection, _LEFT_OVER)]
