"""What tenants use, by day: noted as it happens, rolled up later, kept when its jobs are gone

Revision ID: 0027
Revises: 0026
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

from migrations.row_security import secure

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

JOBS_A_BATCH = 500

OPERATIONS = "operation IN ('detect', 'enrol', 'identify', 'verify', 'webhook')"
OUTCOMES = "outcome IN ('succeeded', 'failed', 'canceled')"
AMOUNTS = "images >= 0 AND faces >= 0 AND inference_ms >= 0 AND webhooks >= 0"

# No foreign keys: what the owner erases goes by the trigger below, and a note costs no look-up.
TABLES = f"""
SET LOCAL lock_timeout = '5s';
CREATE TABLE usage_entries (
  tenant_id uuid NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  noted_at timestamptz NOT NULL DEFAULT now(),
  operation text NOT NULL CONSTRAINT ck_usage_entries_operation CHECK ({OPERATIONS}),
  outcome text NOT NULL CONSTRAINT ck_usage_entries_outcome CHECK ({OUTCOMES}),
  images bigint NOT NULL DEFAULT 0,
  faces bigint NOT NULL DEFAULT 0,
  inference_ms bigint NOT NULL DEFAULT 0,
  webhooks bigint NOT NULL DEFAULT 0,
  CONSTRAINT pk_usage_entries PRIMARY KEY (tenant_id, id),
  CONSTRAINT ck_usage_entries_amounts CHECK ({AMOUNTS})
);
CREATE INDEX ix_usage_entries_noted_at ON usage_entries USING brin (noted_at);
{secure("usage_entries", app="SELECT, INSERT", queue="SELECT, DELETE")};

CREATE TABLE usage_days (
  tenant_id uuid NOT NULL,
  day date NOT NULL,
  operation text NOT NULL CONSTRAINT ck_usage_days_operation CHECK ({OPERATIONS}),
  outcome text NOT NULL CONSTRAINT ck_usage_days_outcome CHECK ({OUTCOMES}),
  images bigint NOT NULL DEFAULT 0,
  faces bigint NOT NULL DEFAULT 0,
  inference_ms bigint NOT NULL DEFAULT 0,
  webhooks bigint NOT NULL DEFAULT 0,
  CONSTRAINT pk_usage_days PRIMARY KEY (tenant_id, day, operation, outcome),
  CONSTRAINT ck_usage_days_amounts CHECK ({AMOUNTS})
);
{secure("usage_days", app="SELECT", queue="SELECT, INSERT, UPDATE")};
"""

# The lock is that of the roll-up, in app/services/upkeep/roll_up_usage.py. After the cascades have
# waited for whoever still noted something under a row of the tenant.
FOLD = """
CREATE FUNCTION fold_usage() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(4207804422);
  WITH gone AS (
    DELETE FROM public.usage_days WHERE tenant_id = OLD.id
    RETURNING day, operation, outcome, images, faces, inference_ms, webhooks
  )
  INSERT INTO public.usage_days AS kept
    (tenant_id, day, operation, outcome, images, faces, inference_ms, webhooks)
  SELECT '00000000-0000-0000-0000-000000000000', gone.* FROM gone
  ON CONFLICT (tenant_id, day, operation, outcome) DO UPDATE SET
    images = kept.images + excluded.images, faces = kept.faces + excluded.faces,
    inference_ms = kept.inference_ms + excluded.inference_ms,
    webhooks = kept.webhooks + excluded.webhooks;
  UPDATE public.usage_entries SET tenant_id = '00000000-0000-0000-0000-000000000000'
  WHERE tenant_id = OLD.id;
  RETURN NULL;
END $$;
CREATE TRIGGER fold_usage AFTER DELETE ON tenants FOR EACH ROW EXECUTE FUNCTION fold_usage();
"""

FOLLOWING = text("""
SELECT max(id::text)::uuid FROM (SELECT id FROM jobs WHERE id > :after ORDER BY id LIMIT :jobs) AS batch
""")

# Of jobs that are still kept; how long their inference took nobody has written down. What the
# version before does from here on, until it is stopped, is not noted.
NOTE_JOBS = text("""
WITH batch AS (
  SELECT id, tenant_id, operation, succeeded_items, failed_items, canceled_items,
    coalesce(finished_at, now()) AS noted_at
  FROM jobs WHERE id > :after AND id <= :last
), found AS (
  SELECT detections.job_id, items.state AS outcome, count(*) AS faces
  FROM detections JOIN items ON items.job_id = detections.job_id AND items.seq = detections.item_seq
  WHERE detections.job_id > :after AND detections.job_id <= :last
    AND items.job_id > :after AND items.job_id <= :last
  GROUP BY 1, 2
)
INSERT INTO usage_entries (tenant_id, noted_at, operation, outcome, images, faces)
SELECT tenant_id, noted_at, operation, counted.outcome, counted.images, coalesce(found.faces, 0)
FROM batch CROSS JOIN LATERAL (VALUES ('succeeded', succeeded_items), ('failed', failed_items),
  ('canceled', canceled_items)) AS counted (outcome, images)
LEFT JOIN found ON found.job_id = batch.id AND found.outcome = counted.outcome
WHERE counted.images > 0
""")

NOTE_WEBHOOKS = """
INSERT INTO usage_entries (tenant_id, noted_at, operation, outcome, webhooks)
SELECT tenant_id, date_trunc('day', attempted_at, 'UTC'), 'webhook',
  CASE WHEN status_code BETWEEN 200 AND 299 THEN 'succeeded' ELSE 'failed' END, count(*)
FROM webhook_attempts GROUP BY 1, 2, 4
"""


def upgrade() -> None:
    """All in one transaction, which waits for nobody: other tables are only read."""
    op.execute(TABLES)
    op.execute(FOLD)
    after = "00000000-0000-0000-0000-000000000000"
    connection = op.get_bind()
    while last := connection.execute(FOLLOWING, {"after": after, "jobs": JOBS_A_BATCH}).scalar():
        connection.execute(NOTE_JOBS, {"after": after, "last": last})
        after = last
    op.execute(NOTE_WEBHOOKS)


def downgrade() -> None:
    """What was rolled up of jobs that are gone is lost; of the others it is made again."""
    op.execute("""
SET LOCAL lock_timeout = '5s';
DROP TRIGGER fold_usage ON tenants;
DROP FUNCTION fold_usage();
DROP TABLE usage_days;
DROP TABLE usage_entries;
""")
