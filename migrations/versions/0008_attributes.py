"""Attributes of faces: which tenants may ask for them, and what was estimated

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE tenants ADD COLUMN attributes_allowed boolean NOT NULL DEFAULT false")
    op.execute("ALTER TABLE detections ADD COLUMN attributes jsonb")


def downgrade() -> None:
    op.execute("ALTER TABLE detections DROP COLUMN attributes")
    op.execute("ALTER TABLE tenants DROP COLUMN attributes_allowed")
