"""The audit log as evidence: who and from where, a chain a tenant, signed checkpoints

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

from alembic import op

from migrations.row_security import APP, QUEUE, secure

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# What the app may say of an event. Its time, its transaction and its place in the chain are not the app's.
WRITTEN_BY_APP = "id, tenant_id, action, actor_key_id, actor_name, actor_address, target_type, target_id, detail, request_id"

# Without a rewrite: rows that are there already get the number of this transaction.
EVENTS = f"""
ALTER TABLE audit_events
  ADD COLUMN IF NOT EXISTS actor_name text,
  ADD COLUMN IF NOT EXISTS actor_address text,
  ADD COLUMN IF NOT EXISTS transaction_id bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint);
ALTER TABLE audit_events DROP CONSTRAINT IF EXISTS ck_audit_events_chained;
ALTER TABLE audit_events ADD CONSTRAINT ck_audit_events_chained
  CHECK ((chain_no IS NULL) = (chain_hash IS NULL)) NOT VALID;
REVOKE INSERT ON audit_events FROM {APP};
GRANT INSERT ({WRITTEN_BY_APP}) ON audit_events TO {APP};
DROP POLICY IF EXISTS queue_all ON audit_events;
CREATE POLICY queue_all ON audit_events TO {QUEUE} USING (true) WITH CHECK (true);
GRANT SELECT, UPDATE (chain_no, chain_hash) ON audit_events TO {QUEUE};

-- The chainer gives an event its place, and never another one.
CREATE OR REPLACE FUNCTION refuse_second_place() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'audit event % has its place in the chain', OLD.id USING ERRCODE = 'insufficient_privilege';
END $$;
DROP TRIGGER IF EXISTS refuse_second_place ON audit_events;
CREATE TRIGGER refuse_second_place BEFORE UPDATE ON audit_events FOR EACH ROW
  WHEN (OLD.chain_no IS NOT NULL AND current_user = '{QUEUE}') EXECUTE FUNCTION refuse_second_place();
"""

CHAINS = f"""
-- Where each tenant's chain begins (behind what was removed on purpose) and ends.
CREATE TABLE audit_chains (
  tenant_id uuid CONSTRAINT pk_audit_chains PRIMARY KEY,
  head_no bigint NOT NULL,
  head_hash bytea NOT NULL,
  anchor_no bigint NOT NULL DEFAULT 0,
  anchor_hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
  chained_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT ck_audit_chains_order CHECK (0 <= anchor_no AND anchor_no <= head_no)
);
{secure("audit_chains", app="SELECT", queue="SELECT, INSERT (tenant_id, head_no, head_hash), UPDATE (head_no, head_hash, chained_at)")};

CREATE TABLE audit_checkpoints (
  id uuid CONSTRAINT pk_audit_checkpoints PRIMARY KEY,
  tenant_id uuid NOT NULL,
  chain_no bigint NOT NULL,
  chain_hash bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  signed_by text NOT NULL,
  signature bytea NOT NULL,
  exported_at timestamptz
);
CREATE INDEX ix_audit_checkpoints_tenant_id_chain_no ON audit_checkpoints (tenant_id, chain_no);
CREATE INDEX ix_audit_checkpoints_unexported ON audit_checkpoints (id) WHERE exported_at IS NULL;
{secure("audit_checkpoints", app="SELECT", queue="SELECT, INSERT, UPDATE (exported_at)")};
"""

# Concurrently, since every request writes to the table and it may be long.
INDEXES = {
    "ix_audit_events_unchained": "INDEX CONCURRENTLY {name} ON audit_events (transaction_id, id) WHERE chain_no IS NULL",
    "uq_audit_events_chain": "UNIQUE INDEX CONCURRENTLY {name} ON audit_events (tenant_id, chain_no) WHERE chain_no IS NOT NULL",
}


def upgrade() -> None:
    # Each part may run twice: an index that is built concurrently commits what came before it.
    op.execute(EVENTS)
    op.execute("DROP TABLE IF EXISTS audit_chains, audit_checkpoints")
    op.execute(CHAINS)
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE audit_events VALIDATE CONSTRAINT ck_audit_events_chained")
        for name, index in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute("CREATE " + index.format(name=name))


def downgrade() -> None:
    op.execute(f"""
DROP TABLE audit_checkpoints;
DROP TABLE audit_chains;
DROP TRIGGER refuse_second_place ON audit_events;
DROP FUNCTION refuse_second_place();
DROP POLICY queue_all ON audit_events;
REVOKE ALL ON audit_events FROM {QUEUE};
REVOKE ALL ON audit_events FROM {APP};
GRANT SELECT, INSERT ON audit_events TO {APP};
DROP INDEX ix_audit_events_unchained, uq_audit_events_chain;
ALTER TABLE audit_events DROP CONSTRAINT ck_audit_events_chained,
  DROP COLUMN actor_name, DROP COLUMN actor_address, DROP COLUMN transaction_id;
UPDATE audit_events SET chain_no = NULL, chain_hash = NULL WHERE chain_no IS NOT NULL;
""")
