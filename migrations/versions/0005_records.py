"""Audit, idempotency, dead letters, worker heartbeats and chore turns

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

from alembic import op

from migrations.row_security import APP, QUEUE, secure

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(f"""
-- chain_no and chain_hash are filled by one chainer afterwards, so that no request queues on the chain.
CREATE TABLE audit_events (
  id uuid CONSTRAINT pk_audit_events PRIMARY KEY,
  tenant_id uuid NOT NULL,
  action text NOT NULL,
  actor_key_id uuid,
  target_type text NOT NULL,
  target_id uuid,
  detail jsonb NOT NULL DEFAULT '{{}}',
  request_id text,
  created_at timestamptz NOT NULL DEFAULT now(),
  chain_no bigint,
  chain_hash bytea
);
CREATE INDEX ix_audit_events_tenant_id_id ON audit_events (tenant_id, id);
{secure("audit_events", app="SELECT, INSERT")};

CREATE TABLE idempotency_keys (
  tenant_id uuid NOT NULL,
  key text NOT NULL,
  fingerprint bytea NOT NULL,
  status smallint,
  headers jsonb,
  body bytea,
  secret_until timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  CONSTRAINT pk_idempotency_keys PRIMARY KEY (tenant_id, key),
  CONSTRAINT ck_idempotency_keys_key_length CHECK (char_length(key) BETWEEN 1 AND 255)
);
CREATE INDEX ix_idempotency_keys_expires_at ON idempotency_keys (expires_at);
{secure("idempotency_keys", app="SELECT, INSERT, UPDATE, DELETE", queue="SELECT (tenant_id, key, expires_at, secret_until), UPDATE (body), DELETE")};

CREATE TABLE dead_letters (
  id uuid CONSTRAINT pk_dead_letters PRIMARY KEY,
  tenant_id uuid NOT NULL,
  job_id uuid NOT NULL,
  item_seq integer NOT NULL,
  image_uri text NOT NULL,
  code text NOT NULL,
  reason text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  redriven_at timestamptz,
  redriven_job_id uuid,
  CONSTRAINT uq_dead_letters_job_id_item_seq UNIQUE (job_id, item_seq),
  CONSTRAINT ck_dead_letters_redriven CHECK ((redriven_at IS NULL) = (redriven_job_id IS NULL))
);
CREATE INDEX ix_dead_letters_waiting ON dead_letters (id) WHERE redriven_at IS NULL;
{secure("dead_letters", app="SELECT, INSERT, UPDATE", queue="SELECT (id, tenant_id, job_id, code, created_at, redriven_at)")};

CREATE TABLE workers (
  instance text CONSTRAINT pk_workers PRIMARY KEY,
  slots integer NOT NULL,
  models text[] NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT ck_workers_slots CHECK (slots > 0)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON workers TO {QUEUE};
GRANT SELECT ON workers TO {APP};

CREATE TABLE chore_turns (
  chore text CONSTRAINT pk_chore_turns PRIMARY KEY,
  taken_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE ON chore_turns TO {QUEUE};

-- Beat keeps its schedule here; its library makes the tables.
CREATE SCHEMA celery_schema AUTHORIZATION CURRENT_USER;
GRANT USAGE, CREATE ON SCHEMA celery_schema TO {QUEUE};
""")


def downgrade() -> None:
    op.execute("""
DROP SCHEMA celery_schema CASCADE;
DROP TABLE chore_turns;
DROP TABLE workers;
DROP TABLE dead_letters;
DROP TABLE idempotency_keys;
DROP TABLE audit_events;
""")
