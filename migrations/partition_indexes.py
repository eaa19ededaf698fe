"""Indexes of the partitioned tables, made while everybody goes on writing."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

from migrations.patience import patience

_WITHOUT = text("""
SELECT part.relname FROM pg_inherits AS of_table JOIN pg_class AS part ON part.oid = of_table.inhrelid
WHERE of_table.inhparent = to_regclass(:table) AND NOT EXISTS (
  SELECT FROM pg_index JOIN pg_inherits AS of_index ON of_index.inhrelid = pg_index.indexrelid
  WHERE pg_index.indrelid = part.oid AND of_index.inhparent = to_regclass(:index)
) ORDER BY part.relname""")


def index_partitions(index: str, table: str, definition: str) -> None:
    """Make an index of a partitioned table partition by partition, beside the work.

    PostgreSQL has no `CREATE INDEX CONCURRENTLY` for the parent. Within an `autocommit_block`; cut
    short, it can be called again and goes on. `definition` is what follows the table's name.
    """
    op.execute(f"CREATE INDEX IF NOT EXISTS {index} ON ONLY {table} {definition}")
    parts = op.get_bind().execute(_WITHOUT, {"table": table, "index": index}).scalars().all()
    for part in parts:
        own = index.replace(f"ix_{table}_", f"ix_{part}_", 1)
        with patience():
            # An index whose making was cut short stays, invalid.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {own}")
            op.execute(f"CREATE INDEX CONCURRENTLY {own} ON {part} {definition}")
        op.execute(f"ALTER INDEX {index} ATTACH PARTITION {own}")
