"""Mail waits to be sent; keys' ends can be looked up; retention may hand over a large job

Revision ID: 0025
Revises: 0020
"""

from __future__ import annotations

from alembic import op

from migrations.row_security import QUEUE, secure

revision = "0025"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A new table and rights: the version before sees neither."""
    op.execute(f"""
CREATE TABLE mails (
  id uuid CONSTRAINT pk_mails PRIMARY KEY,
  tenant_id uuid NOT NULL CONSTRAINT fk_mails_tenant_id REFERENCES tenants (id) ON DELETE CASCADE,
  about text NOT NULL,
  subject text NOT NULL,
  body text NOT NULL,
  attempt_count smallint NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_mails_tenant_id_about UNIQUE (tenant_id, about)
);
CREATE INDEX ix_mails_due ON mails (next_attempt_at) WHERE finished_at IS NULL;
{secure("mails", app="SELECT, INSERT, UPDATE", queue="SELECT (id, tenant_id, next_attempt_at, finished_at, created_at), DELETE")};

CREATE POLICY queue_all ON api_keys TO {QUEUE} USING (true) WITH CHECK (true);
GRANT SELECT (id, tenant_id, created_at, expires_at, revoked_at) ON api_keys TO {QUEUE};

GRANT UPDATE (deleted_at) ON jobs TO {QUEUE};
""")


def downgrade() -> None:
    op.execute(f"""
REVOKE UPDATE (deleted_at) ON jobs FROM {QUEUE};
REVOKE SELECT (id, tenant_id, created_at, expires_at, revoked_at) ON api_keys FROM {QUEUE};
DROP POLICY queue_all ON api_keys;
DROP TABLE mails;
""")
