"""Followers of the vectors that say that they are there, and read one collection's changes

Revision ID: 0030
Revises: 0029
"""

from __future__ import annotations

from alembic import op

from migrations.patience import patience

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

NAME = "ix_vector_changes_collection_id_xact"


def upgrade() -> None:
    """Cut short, it starts again."""
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE vector_followers ADD COLUMN IF NOT EXISTS seen_at timestamptz")
        with patience():
            # An index whose making was cut short stays, invalid.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")
            op.execute(f"CREATE INDEX CONCURRENTLY {NAME} ON vector_changes (collection_id, xact)")


def downgrade() -> None:
    op.execute(f"DROP INDEX {NAME}; ALTER TABLE vector_followers DROP COLUMN seen_at")
