"""What a false match rate rests on, and why a threshold was applied

Revision ID: 0028
Revises: 0027
"""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# Without a default: no row is written. The lock is for a moment, and is not waited for longer.
_LIMITS = "SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '30s'"


def upgrade() -> None:
    op.execute(_LIMITS)
    op.execute("ALTER TABLE items ADD COLUMN fmr_basis text")
    op.execute("ALTER TABLE detections ADD COLUMN threshold_reason jsonb")


def downgrade() -> None:
    op.execute(_LIMITS)
    op.execute("ALTER TABLE detections DROP COLUMN threshold_reason")
    op.execute("ALTER TABLE items DROP COLUMN fmr_basis")
