"""Tenants, what they may read, and their keys

Revision ID: 0001
Revises:
"""

from __future__ import annotations

from alembic import op

from migrations.row_security import APP, OWNER, QUEUE, secure

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(f"""
DO $$ BEGIN
  IF (SELECT count(*) FROM pg_roles WHERE rolname IN ('{OWNER}', '{APP}', '{QUEUE}')) < 3 THEN
    RAISE EXCEPTION 'the roles {OWNER}, {APP} and {QUEUE} are missing: run deploy/postgres/bootstrap.sql first';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') THEN
    RAISE EXCEPTION 'the extension vector is missing: run deploy/postgres/bootstrap.sql as a superuser first';
  END IF;
END $$;
GRANT USAGE ON SCHEMA public TO {APP}, {QUEUE};
-- Readiness compares the schema's revision with the code's.
GRANT SELECT ON alembic_version TO {APP}, {QUEUE};

CREATE TABLE tenants (
  id uuid CONSTRAINT pk_tenants PRIMARY KEY,
  name text NOT NULL CONSTRAINT uq_tenants_name UNIQUE,
  contact_email text,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT ck_tenants_name_length CHECK (char_length(name) BETWEEN 1 AND 200)
);
{secure("tenants", tenant_column="id", app="SELECT")};

CREATE TABLE storage_locations (
  id uuid CONSTRAINT pk_storage_locations PRIMARY KEY,
  tenant_id uuid NOT NULL CONSTRAINT fk_storage_locations_tenant_id REFERENCES tenants (id) ON DELETE CASCADE,
  bucket text NOT NULL,
  prefix text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_storage_locations_tenant_id_bucket_prefix UNIQUE (tenant_id, bucket, prefix)
);
{secure("storage_locations", app="SELECT")};

CREATE TABLE api_keys (
  id uuid CONSTRAINT pk_api_keys PRIMARY KEY,
  tenant_id uuid NOT NULL CONSTRAINT fk_api_keys_tenant_id REFERENCES tenants (id) ON DELETE CASCADE,
  name text NOT NULL,
  prefix text NOT NULL CONSTRAINT uq_api_keys_prefix UNIQUE,
  key_hash bytea NOT NULL,
  scopes text[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  CONSTRAINT ck_api_keys_hash_length CHECK (octet_length(key_hash) = 32),
  CONSTRAINT ck_api_keys_scopes_present CHECK (cardinality(scopes) > 0)
);
CREATE INDEX ix_api_keys_tenant_id_id ON api_keys (tenant_id, id);
{secure("api_keys", app="SELECT, INSERT, UPDATE")};

-- Before a key is known there is no tenant: this one look-up may see every tenant's keys.
CREATE FUNCTION find_api_key(key_prefix text)
RETURNS TABLE (id uuid, tenant_id uuid, key_hash bytea, scopes text[], expires_at timestamptz, revoked_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
AS $$ SELECT k.id, k.tenant_id, k.key_hash, k.scopes, k.expires_at, k.revoked_at
      FROM public.api_keys k WHERE k.prefix = key_prefix $$;
REVOKE ALL ON FUNCTION find_api_key(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_api_key(text) TO {APP};
""")


def downgrade() -> None:
    op.execute("""
DROP FUNCTION find_api_key(text);
DROP TABLE api_keys;
DROP TABLE storage_locations;
DROP TABLE tenants;
""")
