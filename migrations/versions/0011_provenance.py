"""By what an item's result was made: inference engine and version of the pipeline

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE items ADD COLUMN engine text, ADD COLUMN pipeline text")


def downgrade() -> None:
    op.execute("ALTER TABLE items DROP COLUMN engine, DROP COLUMN pipeline")
