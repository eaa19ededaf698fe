"""How many items of a job failed with which code, kept beside its counters

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

JOBS_A_BATCH = 500

# The version before makes jobs without it, and adds nothing to it: a job that it works on meanwhile
# has fewer here than in `failed_items`.
COLUMN = """
ALTER TABLE jobs ADD COLUMN IF NOT EXISTS errors_by_code jsonb NOT NULL DEFAULT '{}';

CREATE OR REPLACE FUNCTION add_counts(counts jsonb, more jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN more = '{}' THEN counts ELSE (
    SELECT jsonb_object_agg(summed.key, summed.count) FROM (
      SELECT key, sum(value::integer) AS count
      FROM (SELECT * FROM jsonb_each_text(counts) UNION ALL SELECT * FROM jsonb_each_text(more)) AS pairs
      GROUP BY key
    ) AS summed
  ) END
$$;
"""

FOLLOWING = text("""
SELECT max(id::text)::uuid FROM (SELECT id FROM jobs WHERE id > :after ORDER BY id LIMIT :jobs) AS batch
""")

# Of a job that has ended no item changes any more; its failed ones have an index of their own.
COUNT = text("""
UPDATE jobs SET errors_by_code = (
  SELECT coalesce(jsonb_object_agg(error_code, count), '{}') FROM (
    SELECT error_code, count(*) FROM items WHERE job_id = jobs.id AND state = 'failed' GROUP BY error_code
  ) AS counted)
WHERE id > :after AND id <= :last AND failed_items > 0 AND finished_at IS NOT NULL AND errors_by_code = '{}'
""")


def upgrade() -> None:
    """In steps of their own, none of which holds a job for long; cut short, it starts again."""
    with op.get_context().autocommit_block():
        op.execute(COLUMN)
        after = "00000000-0000-0000-0000-000000000000"
        while (
            last := op.get_bind()
            .execute(FOLLOWING, {"after": after, "jobs": JOBS_A_BATCH})
            .scalar()
        ):
            op.get_bind().execute(COUNT, {"after": after, "last": last})
            after = last


def downgrade() -> None:
    op.execute(
        "ALTER TABLE jobs DROP COLUMN errors_by_code; DROP FUNCTION add_counts(jsonb, jsonb)"
    )
