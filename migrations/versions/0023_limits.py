"""Limits of a tenant, and addresses of a key

Revision ID: 0023
Revises: 0022
"""

from __future__ import annotations

from alembic import op

from migrations.patience import patience
from migrations.row_security import APP, secure

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

STORED = "ix_images_tenant_id_byte_count"

# NULL: the setting's. The app role reads them and no more, so that only operators set them.
LIMITS = f"""
CREATE TABLE tenant_limits (
  tenant_id uuid CONSTRAINT pk_tenant_limits PRIMARY KEY
    CONSTRAINT fk_tenant_limits_tenant_id REFERENCES tenants (id) ON DELETE CASCADE,
  jobs_in_flight bigint,
  items_waiting bigint,
  requests_per_minute bigint,
  storage_bytes bigint,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT ck_tenant_limits_positive CHECK (jobs_in_flight > 0 AND items_waiting > 0
    AND requests_per_minute > 0 AND storage_bytes > 0)
);
{secure("tenant_limits", app="SELECT")};
"""

ADDRESSES = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE api_keys
  ADD COLUMN allowed_addresses text[],
  ADD CONSTRAINT ck_api_keys_addresses_present CHECK (cardinality(allowed_addresses) > 0);
"""

# Beside `find_api_key`, which the version before calls, until a later migration.
FUNCTION = f"""
CREATE FUNCTION find_caller(key_prefix text)
RETURNS TABLE (id uuid, tenant_id uuid, key_hash bytea, scopes text[], expires_at timestamptz, revoked_at timestamptz,
  allowed_addresses text[], requests_per_minute bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT k.id, k.tenant_id, k.key_hash, k.scopes, k.expires_at, k.revoked_at, k.allowed_addresses, l.requests_per_minute
      FROM public.api_keys k LEFT JOIN public.tenant_limits l ON l.tenant_id = k.tenant_id WHERE k.prefix = key_prefix $$;
REVOKE ALL ON FUNCTION find_caller(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_caller(text) TO {APP};
"""


def upgrade() -> None:
    """Cut short after the index, it starts again."""
    with op.get_context().autocommit_block(), patience():
        # An index whose making was cut short stays, invalid.
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {STORED}")
        # What a tenant stores is summed from the index alone.
        op.execute(f"CREATE INDEX CONCURRENTLY {STORED} ON images (tenant_id) INCLUDE (byte_count)")
    op.execute(LIMITS)
    op.execute(ADDRESSES)
    op.execute(FUNCTION)


def downgrade() -> None:
    """Keys with a list end: the version before would take them from anywhere."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
UPDATE api_keys SET revoked_at = now() WHERE allowed_addresses IS NOT NULL AND revoked_at IS NULL""")
    op.execute("DROP FUNCTION find_caller(text)")
    op.execute("ALTER TABLE api_keys DROP COLUMN allowed_addresses")
    op.execute("DROP TABLE tenant_limits")
    op.execute(f"DROP INDEX {STORED}")
