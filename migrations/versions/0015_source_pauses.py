"""Sources of images that are away, and the shards that wait for one

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

from alembic import op

from migrations.row_security import QUEUE

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# No tenant's table: a bucket may be read for several tenants, and waits for all of them at once.
SOURCE_PAUSES = f"""
CREATE TABLE source_pauses (
  bucket text CONSTRAINT pk_source_pauses PRIMARY KEY,
  until timestamptz NOT NULL DEFAULT '-infinity',
  failures integer NOT NULL DEFAULT 0,
  last_error text NOT NULL,
  since timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT ck_source_pauses_failures CHECK (failures >= 0)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON source_pauses TO {QUEUE};
"""


def upgrade() -> None:
    op.execute(SOURCE_PAUSES)
    op.execute("ALTER TABLE shards ADD COLUMN waits_for text")


def downgrade() -> None:
    op.execute("ALTER TABLE shards DROP COLUMN waits_for")
    op.execute("DROP TABLE source_pauses")
