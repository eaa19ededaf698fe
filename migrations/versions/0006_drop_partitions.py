"""Old partitions of job tables are dropped whole

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

from alembic import op

from migrations.row_security import QUEUE

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Dropping a month costs nothing, deleting its rows one by one does. A month goes when every job in
# it ended longer ago than `age`; the current month and the default partitions always stay.
DROP_FUNCTION = f"""
CREATE FUNCTION drop_job_partitions(age interval) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET lock_timeout = '5s' AS $$
DECLARE
  month text; busy boolean; dropped integer := 0;
BEGIN
  FOR month IN
    SELECT substring(relname FROM '\\d{{6}}$') FROM pg_class
    WHERE relispartition AND relname ~ '^jobs_\\d{{6}}$' AND relnamespace = 'public'::regnamespace
    ORDER BY relname
  LOOP
    CONTINUE WHEN month >= to_char(now() AT TIME ZONE 'UTC', 'YYYYMM');
    EXECUTE format('SELECT EXISTS (SELECT FROM public.%I WHERE finished_at IS NULL OR finished_at > now() - %L::interval)',
                   'jobs_' || month, age) INTO busy;
    CONTINUE WHEN busy;
    EXECUTE format('DROP TABLE public.%I, public.%I, public.%I', 'detections_' || month, 'items_' || month, 'shards_' || month);
    EXECUTE format('ALTER TABLE public.jobs DETACH PARTITION public.%I', 'jobs_' || month);
    EXECUTE format('DROP TABLE public.%I', 'jobs_' || month);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END $$;
REVOKE ALL ON FUNCTION drop_job_partitions(interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_job_partitions(interval) TO {QUEUE};
"""


def upgrade() -> None:
    op.execute(DROP_FUNCTION)


def downgrade() -> None:
    op.execute("DROP FUNCTION drop_job_partitions(interval)")
