"""Uploads that clients send to S3 themselves

Revision ID: 0024
Revises: 0023
"""

from __future__ import annotations

from alembic import op

from migrations.row_security import secure

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# No columns of `images`: the version before would take one that is not there yet for an image.
PRESIGNED_UPLOADS = f"""
CREATE TABLE presigned_uploads (
  id uuid CONSTRAINT pk_presigned_uploads PRIMARY KEY,
  tenant_id uuid NOT NULL CONSTRAINT fk_presigned_uploads_tenant_id REFERENCES tenants (id) ON DELETE CASCADE,
  uri text NOT NULL,
  content_type text NOT NULL,
  byte_count bigint NOT NULL,
  sha256 bytea,
  expires_at timestamptz NOT NULL,
  completed_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT ck_presigned_uploads_digest_length CHECK (octet_length(sha256) = 32),
  CONSTRAINT ck_presigned_uploads_byte_count CHECK (byte_count > 0)
);
CREATE INDEX ix_presigned_uploads_tenant_id ON presigned_uploads (tenant_id);
CREATE INDEX ix_presigned_uploads_expires_at ON presigned_uploads (expires_at);
{secure("presigned_uploads", app="SELECT, INSERT, UPDATE (completed_at)", queue="SELECT (id, tenant_id, uri, expires_at), DELETE")};
"""


def upgrade() -> None:
    op.execute(PRESIGNED_UPLOADS)


def downgrade() -> None:
    op.execute("DROP TABLE presigned_uploads")
