"""What erasing leaves to do in results: whom they name, found by indexes; no vectors in them; deleted jobs

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

from migrations.partition_indexes import index_partitions
from migrations.row_security import APP, QUEUE, secure

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

ROWS_A_BATCH = 5000

# Whom a detection's matches name, faces and subjects alike.
NAMED = "(jsonb_path_query_array(matches, '$[*].\"subject_id\"') || jsonb_path_query_array(matches, '$[*].\"face_id\"'))"

INDEXES = {
    "ix_detections_named": ("detections", f"USING gin ({NAMED}) WHERE matches IS NOT NULL"),
    "ix_detections_subject_id": ("detections", "(subject_id) WHERE subject_id IS NOT NULL"),
    "ix_detections_face_id": ("detections", "(face_id) WHERE face_id IS NOT NULL"),
    "ix_items_subject_id": ("items", "(subject_id) WHERE subject_id IS NOT NULL"),
    "ix_jobs_collection_id": ("jobs", "(collection_id) WHERE collection_id IS NOT NULL"),
    "ix_jobs_deleted_at": ("jobs", "(deleted_at) WHERE deleted_at IS NOT NULL"),
}

# The version before inserts the vector still, so that the column stays until a later migration. What
# it inserts from here on is dropped on its way in.
NO_VECTORS = """
CREATE OR REPLACE FUNCTION drop_detection_vector() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.embedding := NULL;
  RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER no_vector BEFORE INSERT ON detections
  FOR EACH ROW WHEN (NEW.embedding IS NOT NULL) EXECUTE FUNCTION drop_detection_vector();
"""

ERASURES = f"""
CREATE TABLE erasures (
  id uuid CONSTRAINT pk_erasures PRIMARY KEY,
  tenant_id uuid NOT NULL CONSTRAINT fk_erasures_tenant_id REFERENCES tenants (id) ON DELETE CASCADE,
  collection_id uuid NOT NULL,
  subject_id uuid,
  face_id uuid,
  settled_after xid8,
  due_at timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_erasures_due_at ON erasures (due_at);
CREATE INDEX ix_erasures_tenant_id ON erasures (tenant_id);
{secure("erasures", app="SELECT, INSERT, UPDATE, DELETE", queue="SELECT (id, tenant_id, due_at)")};
GRANT UPDATE (matches, subject_id, face_id), DELETE ON detections TO {APP};
GRANT DELETE ON jobs, items, shards, dead_letters TO {APP};
GRANT SELECT (deleted_at) ON jobs TO {QUEUE};
"""

# With the owner's rights, for its tenant alone: under a policy that compares, PostgreSQL looks
# nothing up in an index by an operator that might tell of rows of others, and `?` is one.
NAMING = f"""
CREATE FUNCTION detections_naming(erased uuid, batch integer)
RETURNS TABLE (job_id uuid, item_seq integer, face_no smallint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
  SELECT job_id, item_seq, face_no FROM public.detections
  WHERE matches IS NOT NULL AND {NAMED} ? erased::text
    AND tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid
  LIMIT batch
$$;
REVOKE ALL ON FUNCTION detections_naming(uuid, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION detections_naming(uuid, integer) TO {APP};
"""


def upgrade() -> None:
    """In steps of their own, none of which holds a table for long; cut short, it starts again."""
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE jobs ADD COLUMN IF NOT EXISTS deleted_at timestamptz")
        op.execute(NO_VECTORS)
        _forget_vectors()
        for index, (table, definition) in INDEXES.items():
            index_partitions(index, table, definition)
    op.execute(ERASURES)
    op.execute(NAMING)


def _forget_vectors() -> None:
    """Walk along the key and commit each batch, so that nobody waits for more than one."""
    following = text("""
SELECT job_id, item_seq FROM (
  SELECT job_id, item_seq FROM detections WHERE (job_id, item_seq) > (:job_id, :item_seq)
  ORDER BY job_id, item_seq LIMIT :rows
) AS batch ORDER BY job_id DESC, item_seq DESC LIMIT 1""")
    forget = text("""
UPDATE detections SET embedding = NULL
WHERE (job_id, item_seq) > (:job_id, :item_seq) AND (job_id, item_seq) <= (:last_job, :last_seq)
  AND embedding IS NOT NULL""")
    after = {"job_id": "00000000-0000-0000-0000-000000000000", "item_seq": -1}
    while last := op.get_bind().execute(following, {**after, "rows": ROWS_A_BATCH}).first():
        op.get_bind().execute(forget, {**after, "last_job": last.job_id, "last_seq": last.item_seq})
        after = {"job_id": last.job_id, "item_seq": last.item_seq}


def downgrade() -> None:
    op.execute("DROP FUNCTION detections_naming(uuid, integer); DROP TABLE erasures")
    op.execute(f"""
REVOKE DELETE ON jobs, items, shards, detections, dead_letters FROM {APP};
REVOKE UPDATE (matches, subject_id, face_id) ON detections FROM {APP}""")
    op.execute("DROP TRIGGER no_vector ON detections; DROP FUNCTION drop_detection_vector()")
    for index in INDEXES:
        op.execute(f"DROP INDEX {index}")
    # The version before would show what was deleted.
    for table in ("detections", "items", "shards", "jobs"):
        key = "id" if table == "jobs" else "job_id"
        op.execute(f"""
DELETE FROM {table} WHERE {key} IN (SELECT id FROM jobs WHERE deleted_at IS NOT NULL)""")
    op.execute("ALTER TABLE jobs DROP COLUMN deleted_at")
