"""Names in Unicode's composed form, so that what looks the same is the same

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from alembic import op
from sqlalchemy import text

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# Table, column, and within what a name is unique.
NAMES = (
    ("subjects", "external_id", "collection_id"),
    ("collections", "name", "tenant_id"),
    ("tenants", "name", None),
    ("api_keys", "name", "id"),
)
LONGEST = 200
ROWS_A_BATCH = 5000
MOST_TOLD = 20

_log = logging.getLogger("alembic.runtime.migration")


def upgrade() -> None:
    """Commit each batch, so that nobody waits for more than one; cut short, it starts again."""
    with op.get_context().autocommit_block():
        for table, column, scope in NAMES:
            left: list[str] = []
            for after, last in _batches(table):
                bounds = {"after": after, "last": last, "longest": LONGEST}
                op.get_bind().execute(text(_normalise(table, column, scope)), bounds)
                left += map(
                    str, op.get_bind().execute(text(_left(table, column)), bounds).scalars()
                )
            _tell(table, left)


def downgrade() -> None:
    """The version before takes names in any form."""


def _normalise(table: str, column: str, scope: str | None) -> str:
    """Of several names of one normal form, the oldest gets it, unless somebody has it already."""
    own = f"taken.{scope} = t.{scope} AND" if scope else ""
    return f"""
UPDATE {table} AS t SET {column} = normalize(t.{column}) WHERE t.id IN (
  SELECT DISTINCT ON ({f"{scope}, " if scope else ""}normalize({column})) id FROM {table}
  WHERE id > :after AND id <= :last AND {column} IS NOT NFC NORMALIZED
    AND char_length(normalize({column})) <= :longest
  ORDER BY {f"{scope}, " if scope else ""}normalize({column}), id
) AND NOT EXISTS (
  SELECT FROM {table} AS taken WHERE {own} taken.{column} = normalize(t.{column})
)"""


def _batches(table: str) -> Iterator[tuple[str, str]]:
    after = "00000000-0000-0000-0000-000000000000"
    following = text(f"""
SELECT id FROM (SELECT id FROM {table} WHERE id > :after ORDER BY id LIMIT :rows) AS batch
ORDER BY id DESC LIMIT 1""")
    while last := op.get_bind().execute(following, {"after": after, "rows": ROWS_A_BATCH}).scalar():
        yield after, str(last)
        after = str(last)


def _left(table: str, column: str) -> str:
    return f"""
SELECT id FROM {table}
WHERE id > :after AND id <= :last AND {column} IS NOT NFC NORMALIZED ORDER BY id"""


def _tell(table: str, left: list[str]) -> None:
    """Ids alone: a name in a log would be a person's."""
    if left:
        told = ", ".join(left[:MOST_TOLD]) + (", …" if len(left) > MOST_TOLD else "")
        said = "%s: %s kept a name whose normal form is another's, or too long (%s)"
        _log.warning(said, table, len(left), told)
