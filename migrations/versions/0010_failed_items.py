"""An index for the failed items of a job: few among many, and asked for by name

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX ix_items_failed ON items (job_id, seq) WHERE state = 'failed'")


def downgrade() -> None:
    op.execute("DROP INDEX ix_items_failed")
