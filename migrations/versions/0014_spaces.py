"""A vector's key is face and space; an outbox for those who follow the vectors

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic import op
from sqlalchemy import text

from migrations.patience import patience
from migrations.row_security import APP, QUEUE, secure

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

VECTORS = ("face_vectors_128", "face_vectors_512")
ROWS_A_BATCH = 5000

# A model makes a space. The version before knows of none: what it inserts gets its model's, so that
# nothing is without one from here on. For vectors until the key changes, which that version's
# inserts do not fit; for collections until a later migration, for it goes on making those.
COLUMNS = {
    "collections": """
ALTER TABLE collections ADD COLUMN IF NOT EXISTS space text;
CREATE OR REPLACE FUNCTION fill_collection_space() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.space := coalesce(NEW.space, NEW.model);
  RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER fill_space BEFORE INSERT ON collections
  FOR EACH ROW WHEN (NEW.space IS NULL) EXECUTE FUNCTION fill_collection_space();
""",
    **{
        table: f"""
ALTER TABLE {table} ADD COLUMN IF NOT EXISTS space text;
CREATE OR REPLACE FUNCTION fill_vector_space() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  SELECT model INTO NEW.space FROM public.collections WHERE id = NEW.collection_id;
  RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER fill_space BEFORE INSERT ON {table}
  FOR EACH ROW WHEN (NEW.space IS NULL) EXECUTE FUNCTION fill_vector_space();
"""
        for table in VECTORS
    },
}

OUTBOX = f"""
DROP FUNCTION fill_vector_space();

-- Whoever erases faces holds them first, and to hold a row is a right to change some column of it.
GRANT UPDATE (created_at) ON faces TO {APP};

-- Ids, no biometrics. A row outlives what it tells of, until every follower has read it.
CREATE TABLE vector_changes (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_vector_changes PRIMARY KEY,
  xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
  tenant_id uuid NOT NULL,
  collection_id uuid NOT NULL,
  face_id uuid NOT NULL,
  space text NOT NULL,
  change text NOT NULL,
  made_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT ck_vector_changes_change CHECK (change IN ('added', 'removed'))
);
CREATE INDEX ix_vector_changes_xact_id ON vector_changes (xact, id);
{secure("vector_changes", app="SELECT, INSERT", queue="SELECT, DELETE")};

CREATE TABLE vector_followers (
  name text CONSTRAINT pk_vector_followers PRIMARY KEY,
  registered_at timestamptz NOT NULL DEFAULT now(),
  position xid8 NOT NULL DEFAULT pg_snapshot_xmin(pg_current_snapshot())
);
GRANT SELECT ON vector_followers TO {APP};
GRANT SELECT, INSERT, UPDATE, DELETE ON vector_followers TO {QUEUE};
"""


def upgrade() -> None:
    """In steps of their own, none of which holds a table for long; cut short, it starts again."""
    with op.get_context().autocommit_block():
        for table, columns in COLUMNS.items():
            if not _done(table):
                op.execute(columns)
                _fill(table)
                _require_space(table)
        for table in VECTORS:
            if not _done(table):
                _change_key(table)
    op.execute(OUTBOX)


def _done(table: str) -> bool:
    """Whether an upgrade that was cut short got past this table."""
    nullable = "SELECT NOT attnotnull FROM pg_attribute WHERE attrelid = to_regclass(:table) AND attname = 'space'"
    return op.get_bind().execute(text(nullable), {"table": table}).scalar() is False


def _fill(table: str) -> None:
    """Walk along the key and commit each batch, so that nobody waits for more than one."""
    key, value, source = ("face_id", "c.model", "FROM collections AS c")
    if table == "collections":
        key, value, source = ("id", "model", "")
    for after, last in _batches(table, key):
        own = "AND c.id = t.collection_id" if source else ""
        op.get_bind().execute(
            text(f"""
UPDATE {table} AS t SET space = {value} {source}
WHERE t.{key} > :after AND t.{key} <= :last AND t.space IS NULL {own}"""),
            {"after": after, "last": last},
        )


def _batches(table: str, key: str) -> Iterator[tuple[str, str]]:
    after = "00000000-0000-0000-0000-000000000000"
    following = text(f"""
SELECT {key} FROM (SELECT {key} FROM {table} WHERE {key} > :after ORDER BY {key} LIMIT :rows) AS batch
ORDER BY {key} DESC LIMIT 1""")
    while last := op.get_bind().execute(following, {"after": after, "rows": ROWS_A_BATCH}).scalar():
        yield after, str(last)
        after = str(last)


def _require_space(table: str) -> None:
    """With a check that was validated beside the work, NOT NULL needs no look at the rows."""
    filled = f"ck_{table}_space_filled"
    op.execute(f"""
ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {filled};
ALTER TABLE {table} ADD CONSTRAINT {filled} CHECK (space IS NOT NULL) NOT VALID""")
    with patience():
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {filled}")
    if table == "collections":
        op.execute(_not_null(table))


def _not_null(table: str) -> str:
    return f"""
ALTER TABLE {table} ALTER COLUMN space SET NOT NULL;
ALTER TABLE {table} DROP CONSTRAINT ck_{table}_space_filled"""


def _change_key(table: str) -> None:
    with patience():
        # An index whose making was cut short stays, invalid.
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS uq_{table}_face_id_space")
        op.execute(
            f"CREATE UNIQUE INDEX CONCURRENTLY uq_{table}_face_id_space ON {table} (face_id, space)"
        )
    # One string, one transaction. From here on the version before cannot enrol.
    op.execute(f"""
{_not_null(table)};
ALTER TABLE {table} DROP CONSTRAINT pk_{table},
  ADD CONSTRAINT pk_{table} PRIMARY KEY USING INDEX uq_{table}_face_id_space;
DROP TRIGGER fill_space ON {table}""")


def downgrade() -> None:
    """The version before knows one vector a face: those of its collection's space stay."""
    op.execute(f"REVOKE UPDATE (created_at) ON faces FROM {APP}")
    op.execute("DROP TABLE vector_changes; DROP TABLE vector_followers")
    for table in VECTORS:
        op.execute(f"""
DELETE FROM {table} AS t USING collections AS c WHERE c.id = t.collection_id AND c.space <> t.space;
ALTER TABLE {table} DROP CONSTRAINT pk_{table}, ADD CONSTRAINT pk_{table} PRIMARY KEY (face_id),
  DROP COLUMN space""")
    op.execute("""
DROP TRIGGER fill_space ON collections;
DROP FUNCTION fill_collection_space();
ALTER TABLE collections DROP COLUMN space""")
