"""Jobs made of another's failed items; versions of S3 objects; jobs found by their collection

Revision ID: 0022
Revises: 0021
"""

from __future__ import annotations

from alembic import op

from migrations.partition_indexes import index_partitions

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# None of them rewrites a row: the one default is a constant. The version before writes neither.
COLUMNS = """
ALTER TABLE jobs ADD COLUMN IF NOT EXISTS redrive_of uuid,
  ADD COLUMN IF NOT EXISTS redriven_by uuid[] NOT NULL DEFAULT '{}';
ALTER TABLE items ADD COLUMN IF NOT EXISTS image_version text,
  ADD COLUMN IF NOT EXISTS reference_version text;
"""

NAME = "ix_jobs_tenant_id_collection_id_id"
BY_COLLECTION = "(tenant_id, collection_id, id) WHERE collection_id IS NOT NULL"


def upgrade() -> None:
    """In steps of their own, none of which holds a table for long; cut short, it starts again."""
    with op.get_context().autocommit_block():
        op.execute(COLUMNS)
        index_partitions(NAME, "jobs", BY_COLLECTION)


def downgrade() -> None:
    op.execute(f"""
DROP INDEX {NAME};
ALTER TABLE items DROP COLUMN image_version, DROP COLUMN reference_version;
ALTER TABLE jobs DROP COLUMN redrive_of, DROP COLUMN redriven_by;
""")
