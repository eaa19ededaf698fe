"""Indexes for open work; partition functions that one odd row does not stop; whole erasure of a tenant

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

INDEXES = """
CREATE INDEX ix_shards_hinted ON shards (model, hint_expires_at)
  WHERE state = 'pending' AND hint_expires_at IS NOT NULL;
CREATE INDEX ix_jobs_tenant_id_operation_id ON jobs (tenant_id, operation, id);
"""

# Both run with the owner's rights: pg_temp comes last, or a caller's temporary table named like a
# table of the catalogue would be found first.
ENSURE_FUNCTION = """
CREATE OR REPLACE FUNCTION ensure_job_partitions(ahead integer DEFAULT 3) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
  parent text; month timestamptz; part text; made integer := 0; new integer;
BEGIN
  FOR step IN 0..ahead LOOP
    month := date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + make_interval(months => step);
    new := 0;
    BEGIN
      FOREACH parent IN ARRAY ARRAY['jobs', 'items', 'shards', 'detections'] LOOP
        part := parent || '_' || to_char(month AT TIME ZONE 'UTC', 'YYYYMM');
        IF to_regclass('public.' || part) IS NULL THEN
          EXECUTE format('CREATE TABLE public.%I PARTITION OF public.%I FOR VALUES FROM (%L) TO (%L)', part, parent,
                         public.uuid7_floor(month), public.uuid7_floor(month + interval '1 month'));
          new := new + 1;
        END IF;
      END LOOP;
      made := made + new;
    EXCEPTION WHEN check_violation THEN
      -- Jobs of this month are in the default partition already, where all of its jobs then go.
      RAISE WARNING 'no partitions for %: the default partitions hold jobs of it', month;
    END;
  END LOOP;
  RETURN made;
END $$;
"""

# To drop a partition locks its parent. Whoever works on the parents is not made to wait for longer
# than an eye blinks, and not long enough for the server to look for a deadlock and to pick a victim.
DROP_FUNCTION = """
CREATE OR REPLACE FUNCTION drop_job_partitions(age interval) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
  month text; busy boolean; dropped integer := 0;
BEGIN
  FOR month IN
    SELECT substring(relname FROM '\\d{6}$') FROM pg_class
    WHERE relispartition AND relname ~ '^jobs_\\d{6}$' AND relnamespace = 'public'::regnamespace
    ORDER BY relname
  LOOP
    CONTINUE WHEN month >= to_char(now() AT TIME ZONE 'UTC', 'YYYYMM');
    EXECUTE format('SELECT EXISTS (SELECT FROM public.%I WHERE finished_at IS NULL OR finished_at > now() - %L::interval)',
                   'jobs_' || month, age) INTO busy;
    CONTINUE WHEN busy;
    LOCK TABLE ONLY public.jobs, ONLY public.items, ONLY public.shards, ONLY public.detections IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('DROP TABLE public.%I, public.%I, public.%I', 'detections_' || month, 'items_' || month, 'shards_' || month);
    EXECUTE format('ALTER TABLE public.jobs DETACH PARTITION public.%I', 'jobs_' || month);
    EXECUTE format('DROP TABLE public.%I', 'jobs_' || month);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END $$;
"""

# Tables without a foreign key to the tenant, or to what goes with it. Of audit events nothing goes.
ERASE_TRIGGER = """
CREATE FUNCTION erase_tenant() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM public.items WHERE tenant_id = OLD.id;
  DELETE FROM public.detections WHERE tenant_id = OLD.id;
  DELETE FROM public.dead_letters WHERE tenant_id = OLD.id;
  DELETE FROM public.idempotency_keys WHERE tenant_id = OLD.id;
  RETURN NULL;
END $$;
CREATE TRIGGER erase_tenant AFTER DELETE ON tenants FOR EACH ROW EXECUTE FUNCTION erase_tenant();
"""


def upgrade() -> None:
    op.execute(INDEXES + ENSURE_FUNCTION + DROP_FUNCTION + ERASE_TRIGGER)
    op.execute("ALTER FUNCTION find_api_key(text) SET search_path = pg_catalog, pg_temp")


def downgrade() -> None:
    op.execute("DROP TRIGGER erase_tenant ON tenants; DROP FUNCTION erase_tenant()")
    # The other functions stay: they do what the version before expects of them.
    op.execute("DROP INDEX ix_shards_hinted; DROP INDEX ix_jobs_tenant_id_operation_id")
