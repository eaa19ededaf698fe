"""A result says how many faces its probe was compared with, and what share such a search finds

Revision ID: 0029
Revises: 0028
"""

from __future__ import annotations

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Without a default, no row is rewritten. The version before writes neither."""
    op.execute("""
ALTER TABLE detections ADD COLUMN search_faces integer, ADD COLUMN search_recall real""")


def downgrade() -> None:
    op.execute("ALTER TABLE detections DROP COLUMN search_faces, DROP COLUMN search_recall")
