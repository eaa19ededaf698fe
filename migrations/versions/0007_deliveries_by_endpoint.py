"""An index for what is pending of one webhook endpoint

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
CREATE INDEX ix_webhook_deliveries_endpoint_due ON webhook_deliveries (endpoint_id, next_attempt_at)
  WHERE state = 'pending'
""")


def downgrade() -> None:
    op.execute("DROP INDEX ix_webhook_deliveries_endpoint_due")
