"""Webhook endpoints, deliveries and attempts

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

from alembic import op

from migrations.row_security import secure

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(f"""
CREATE TABLE webhook_endpoints (
  id uuid CONSTRAINT pk_webhook_endpoints PRIMARY KEY,
  tenant_id uuid NOT NULL CONSTRAINT fk_webhook_endpoints_tenant_id REFERENCES tenants (id) ON DELETE CASCADE,
  url text NOT NULL,
  description text,
  events text[] NOT NULL,
  secret_encrypted bytea NOT NULL,
  previous_secret_encrypted bytea,
  previous_secret_expires_at timestamptz,
  state text NOT NULL DEFAULT 'enabled',
  disabled_reason text,
  disabled_at timestamptz,
  failing_since timestamptz,
  last_success_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_webhook_endpoints_tenant_id_id UNIQUE (tenant_id, id),
  CONSTRAINT ck_webhook_endpoints_state CHECK (state IN ('enabled', 'disabled')),
  CONSTRAINT ck_webhook_endpoints_events_present CHECK (cardinality(events) > 0),
  CONSTRAINT ck_webhook_endpoints_disabled CHECK ((state = 'disabled') = (disabled_at IS NOT NULL)),
  CONSTRAINT ck_webhook_endpoints_previous_secret CHECK ((previous_secret_encrypted IS NULL) = (previous_secret_expires_at IS NULL))
);
{secure("webhook_endpoints", app="SELECT, INSERT, UPDATE, DELETE")};

-- job_id is provenance: the delivery outlives the job. It is NULL for test events.
CREATE TABLE webhook_deliveries (
  id uuid CONSTRAINT pk_webhook_deliveries PRIMARY KEY,
  tenant_id uuid NOT NULL,
  endpoint_id uuid NOT NULL,
  job_id uuid,
  type text NOT NULL,
  payload text NOT NULL,
  state text NOT NULL DEFAULT 'pending',
  attempt_count smallint NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL DEFAULT now(),
  hint_expires_at timestamptz,
  leased_until timestamptz,
  lease_token bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  CONSTRAINT uq_webhook_deliveries_tenant_id_id UNIQUE (tenant_id, id),
  CONSTRAINT uq_webhook_deliveries_endpoint_id_job_id_type UNIQUE (endpoint_id, job_id, type),
  CONSTRAINT ck_webhook_deliveries_state CHECK (state IN ('pending', 'delivered', 'exhausted', 'held')),
  CONSTRAINT ck_webhook_deliveries_finished CHECK ((state IN ('delivered', 'exhausted')) = (finished_at IS NOT NULL)),
  CONSTRAINT fk_webhook_deliveries_endpoint FOREIGN KEY (tenant_id, endpoint_id)
    REFERENCES webhook_endpoints (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX ix_webhook_deliveries_due ON webhook_deliveries (next_attempt_at) WHERE state = 'pending';
CREATE INDEX ix_webhook_deliveries_endpoint_id_id ON webhook_deliveries (endpoint_id, id);
CREATE INDEX ix_webhook_deliveries_created_at ON webhook_deliveries (created_at);
{
        secure(
            "webhook_deliveries",
            app="SELECT, INSERT, UPDATE",
            queue="SELECT (id, tenant_id, endpoint_id, type, state, attempt_count, next_attempt_at, hint_expires_at, leased_until, lease_token, created_at, finished_at), "
            "UPDATE (hint_expires_at, leased_until, lease_token), DELETE",
        )
    };

CREATE TABLE webhook_attempts (
  id uuid CONSTRAINT pk_webhook_attempts PRIMARY KEY,
  tenant_id uuid NOT NULL,
  delivery_id uuid NOT NULL,
  attempted_at timestamptz NOT NULL,
  status_code smallint,
  duration_ms integer NOT NULL,
  response_excerpt text,
  error text,
  CONSTRAINT fk_webhook_attempts_delivery FOREIGN KEY (tenant_id, delivery_id)
    REFERENCES webhook_deliveries (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX ix_webhook_attempts_delivery_id_id ON webhook_attempts (delivery_id, id);
{secure("webhook_attempts", app="SELECT, INSERT")};
""")


def downgrade() -> None:
    op.execute("""
DROP TABLE webhook_attempts;
DROP TABLE webhook_deliveries;
DROP TABLE webhook_endpoints;
""")
