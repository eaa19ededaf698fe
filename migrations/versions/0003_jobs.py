"""Jobs, items, shards and detections, partitioned by the time inside the job's id

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

from alembic import op

from migrations.row_security import QUEUE, secure

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

PARTITIONED = ("jobs", "items", "shards", "detections")

JOBS = """
CREATE TABLE jobs (
  id uuid NOT NULL,
  tenant_id uuid NOT NULL CONSTRAINT fk_jobs_tenant_id REFERENCES tenants (id) ON DELETE CASCADE,
  operation text NOT NULL,
  state text NOT NULL,
  priority text NOT NULL,
  collection_id uuid,
  model text NOT NULL,
  options jsonb NOT NULL DEFAULT '{}',
  metadata jsonb NOT NULL DEFAULT '{}',
  webhook_endpoint_id uuid,
  notify_webhooks boolean NOT NULL DEFAULT true,
  total_items integer NOT NULL,
  open_items integer NOT NULL,
  succeeded_items integer NOT NULL DEFAULT 0,
  failed_items integer NOT NULL DEFAULT 0,
  canceled_items integer NOT NULL DEFAULT 0,
  failure_code text,
  created_at timestamptz NOT NULL DEFAULT now(),
  sealed_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  expires_at timestamptz NOT NULL,
  CONSTRAINT pk_jobs PRIMARY KEY (id),
  CONSTRAINT uq_jobs_tenant_id_id UNIQUE (tenant_id, id),
  CONSTRAINT ck_jobs_operation CHECK (operation IN ('detect', 'enrol', 'identify', 'verify')),
  CONSTRAINT ck_jobs_state CHECK (state IN ('preparing', 'queued', 'processing', 'cancelling', 'succeeded', 'failed', 'canceled', 'expired')),
  CONSTRAINT ck_jobs_priority CHECK (priority IN ('interactive', 'bulk')),
  CONSTRAINT ck_jobs_counts CHECK (open_items >= 0 AND open_items + succeeded_items + failed_items + canceled_items = total_items),
  CONSTRAINT ck_jobs_terminal CHECK ((finished_at IS NOT NULL) = (state IN ('succeeded', 'failed', 'canceled', 'expired'))),
  CONSTRAINT ck_jobs_terminal_is_empty CHECK (finished_at IS NULL OR open_items = 0)
) PARTITION BY RANGE (id);
CREATE INDEX ix_jobs_tenant_id_state_id ON jobs (tenant_id, state, id);
CREATE INDEX ix_jobs_live ON jobs (expires_at) WHERE finished_at IS NULL;
CREATE INDEX ix_jobs_finished_at ON jobs (finished_at) WHERE finished_at IS NOT NULL;
"""

# Items have no foreign key: a million rows would each pay for a check that their one writer
# (submit, in the job's own transaction) makes true. The same holds for detections.
ITEMS = """
CREATE TABLE items (
  job_id uuid NOT NULL,
  seq integer NOT NULL,
  tenant_id uuid NOT NULL,
  custom_id text NOT NULL,
  image_uri text NOT NULL,
  reference_uri text,
  subject_id uuid,
  state text NOT NULL DEFAULT 'pending',
  error_code text,
  error_message text,
  decision text,
  similarity real,
  fmr double precision,
  width integer,
  height integer,
  image_sha256 bytea,
  finished_at timestamptz,
  CONSTRAINT pk_items PRIMARY KEY (job_id, seq),
  CONSTRAINT uq_items_job_id_custom_id UNIQUE (job_id, custom_id),
  CONSTRAINT ck_items_state CHECK (state IN ('pending', 'succeeded', 'failed', 'canceled')),
  CONSTRAINT ck_items_error CHECK ((state = 'failed') = (error_code IS NOT NULL)),
  CONSTRAINT ck_items_decision CHECK (decision IN ('match', 'no_match')),
  CONSTRAINT ck_items_terminal CHECK ((state = 'pending') = (finished_at IS NULL))
) PARTITION BY RANGE (job_id);
"""

SHARDS = """
CREATE TABLE shards (
  job_id uuid NOT NULL,
  shard_no integer NOT NULL,
  tenant_id uuid NOT NULL,
  model text NOT NULL,
  priority text NOT NULL,
  state text NOT NULL DEFAULT 'pending',
  first_seq integer NOT NULL,
  item_count integer NOT NULL,
  open_items integer NOT NULL,
  hint_expires_at timestamptz,
  lease_token bigint NOT NULL DEFAULT 0,
  leased_until timestamptz,
  lease_instance text,
  lease_pid integer,
  attempt_count smallint NOT NULL DEFAULT 0,
  isolated boolean NOT NULL DEFAULT false,
  trial_seq integer,
  trial_deaths smallint NOT NULL DEFAULT 0,
  CONSTRAINT pk_shards PRIMARY KEY (job_id, shard_no),
  CONSTRAINT fk_shards_job FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT ck_shards_state CHECK (state IN ('pending', 'leased', 'done', 'canceled')),
  CONSTRAINT ck_shards_priority CHECK (priority IN ('interactive', 'bulk')),
  CONSTRAINT ck_shards_items CHECK (item_count > 0 AND open_items BETWEEN 0 AND item_count),
  CONSTRAINT ck_shards_lease CHECK ((state = 'leased') = (leased_until IS NOT NULL AND lease_instance IS NOT NULL AND lease_pid IS NOT NULL))
) PARTITION BY RANGE (job_id);
CREATE INDEX ix_shards_pending ON shards (model, priority, tenant_id, job_id, shard_no) WHERE state = 'pending';
CREATE INDEX ix_shards_leased ON shards (lease_instance, leased_until) WHERE state = 'leased';
"""

DETECTIONS = """
CREATE TABLE detections (
  job_id uuid NOT NULL,
  item_seq integer NOT NULL,
  face_no smallint NOT NULL,
  tenant_id uuid NOT NULL,
  box integer[] NOT NULL,
  landmarks real[] NOT NULL,
  detection_confidence real NOT NULL,
  quality real NOT NULL,
  embedding halfvec,
  liveness jsonb,
  decision text,
  matches jsonb,
  threshold double precision,
  search_index text,
  subject_id uuid,
  face_id uuid,
  enrolled boolean,
  reason text,
  CONSTRAINT pk_detections PRIMARY KEY (job_id, item_seq, face_no),
  CONSTRAINT ck_detections_box_corners CHECK (cardinality(box) = 4),
  CONSTRAINT ck_detections_five_landmarks CHECK (cardinality(landmarks) = 10),
  CONSTRAINT ck_detections_decision CHECK (decision IN ('match', 'unknown', 'ambiguous'))
) PARTITION BY RANGE (job_id);
"""

PARTITION_FUNCTION = f"""
CREATE FUNCTION uuid7_floor(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE
AS $$ SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid $$;

-- Makes the monthly partitions from this month to `ahead` months on; idempotent, returns how many were new.
CREATE FUNCTION ensure_job_partitions(ahead integer DEFAULT 3) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET lock_timeout = '5s' AS $$
DECLARE
  parent text; month timestamptz; part text; made integer := 0;
BEGIN
  FOR step IN 0..ahead LOOP
    month := date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + make_interval(months => step);
    FOREACH parent IN ARRAY ARRAY['jobs', 'items', 'shards', 'detections'] LOOP
      part := parent || '_' || to_char(month AT TIME ZONE 'UTC', 'YYYYMM');
      IF to_regclass('public.' || part) IS NULL THEN
        EXECUTE format('CREATE TABLE public.%I PARTITION OF public.%I FOR VALUES FROM (%L) TO (%L)', part, parent,
                       public.uuid7_floor(month), public.uuid7_floor(month + interval '1 month'));
        made := made + 1;
      END IF;
    END LOOP;
  END LOOP;
  RETURN made;
END $$;
REVOKE ALL ON FUNCTION ensure_job_partitions(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_job_partitions(integer) TO {QUEUE};
"""


def upgrade() -> None:
    for table in (JOBS, ITEMS, SHARDS, DETECTIONS, PARTITION_FUNCTION):
        op.execute(table)
    for table in PARTITIONED:
        # Ids from outside the prepared months (a clock that was wrong) still find a home.
        op.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
    op.execute("SELECT ensure_job_partitions()")
    header = "id, tenant_id, operation, state, priority, model, total_items, open_items, created_at, sealed_at, started_at, finished_at, expires_at"
    op.execute(
        secure("jobs", app="SELECT, INSERT, UPDATE", queue=f"SELECT ({header}), DELETE")
        + ";"
        + secure(
            "items", app="SELECT, INSERT, UPDATE", queue="SELECT (job_id, seq, tenant_id), DELETE"
        )
        + ";"
        + secure("shards", app="SELECT, INSERT, UPDATE", queue="SELECT, UPDATE, DELETE")
        + ";"
        + secure(
            "detections", app="SELECT, INSERT", queue="SELECT (job_id, item_seq, tenant_id), DELETE"
        )
    )


def downgrade() -> None:
    op.execute("""
DROP TABLE detections;
DROP TABLE shards;
DROP TABLE items;
DROP TABLE jobs;
DROP FUNCTION ensure_job_partitions(integer);
DROP FUNCTION uuid7_floor(timestamptz);
""")
