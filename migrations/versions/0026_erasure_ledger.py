"""What was erased, by ids, so that a restored backup can be brought to forget it again

Revision ID: 0026
Revises: 0025
"""

from __future__ import annotations

from alembic import op

from migrations.row_security import QUEUE, secure

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

LEDGER = f"""
CREATE TABLE erasure_ledger (
  id uuid CONSTRAINT pk_erasure_ledger PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  kind text NOT NULL CONSTRAINT ck_erasure_ledger_kind
    CHECK (kind IN ('tenant', 'collection', 'subject', 'face', 'job', 'image', 'api_key')),
  target_id uuid NOT NULL,
  collection_id uuid,
  job_id uuid,
  item_seq integer,
  created_at timestamptz NOT NULL DEFAULT now(),
  exported_at timestamptz
);
CREATE INDEX ix_erasure_ledger_unexported ON erasure_ledger (created_at) WHERE exported_at IS NULL;
{secure("erasure_ledger", app="SELECT")};
"""

# With the owner's rights, so that no other role needs any: nobody can erase without an entry, and
# nobody can take one back. Whoever erases faces writes one row of `erasures` for each erasure.
NOTING = """
CREATE FUNCTION note_erasure() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_TABLE_NAME = 'erasures' THEN
    INSERT INTO public.erasure_ledger (tenant_id, kind, target_id, collection_id, job_id, item_seq)
    SELECT NEW.tenant_id,
      CASE WHEN NEW.face_id IS NOT NULL THEN 'face'
        WHEN NEW.subject_id IS NOT NULL THEN 'subject' ELSE 'collection' END,
      coalesce(NEW.face_id, NEW.subject_id, NEW.collection_id), NEW.collection_id,
      face.job_id, face.item_seq
    FROM (SELECT) AS one LEFT JOIN public.faces AS face ON face.id = NEW.face_id;
  ELSIF TG_TABLE_NAME = 'tenants' THEN
    INSERT INTO public.erasure_ledger (tenant_id, kind, target_id)
    VALUES (OLD.id, 'tenant', OLD.id);
  ELSE
    INSERT INTO public.erasure_ledger (tenant_id, kind, target_id)
    VALUES (OLD.tenant_id, TG_ARGV[0], OLD.id);
  END IF;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION note_erasure() FROM PUBLIC;
"""

# What goes along with something else (at a trigger's depth), or because its time is over, needs no
# entry: it goes again by itself.
TRIGGERS = {
    "erasures": "AFTER INSERT ON erasures FOR EACH ROW EXECUTE FUNCTION note_erasure()",
    "tenants": "AFTER DELETE ON tenants FOR EACH ROW EXECUTE FUNCTION note_erasure()",
    "jobs": """AFTER UPDATE OF deleted_at ON jobs FOR EACH ROW
      WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
      EXECUTE FUNCTION note_erasure('job')""",
    "api_keys": """AFTER UPDATE OF revoked_at ON api_keys FOR EACH ROW
      WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL)
      EXECUTE FUNCTION note_erasure('api_key')""",
    "images": f"""AFTER DELETE ON images FOR EACH ROW
      WHEN (pg_trigger_depth() = 0 AND session_user <> '{QUEUE}')
      EXECUTE FUNCTION note_erasure('image')""",
}


def upgrade() -> None:
    """Each trigger takes its table for a moment, in a step of its own."""
    op.execute(LEDGER)
    op.execute(NOTING)
    with op.get_context().autocommit_block():
        for trigger in TRIGGERS.values():
            op.execute(f"CREATE OR REPLACE TRIGGER note_erasure {trigger}")


def downgrade() -> None:
    for table in TRIGGERS:
        op.execute(f"DROP TRIGGER note_erasure ON {table}")
    op.execute("DROP FUNCTION note_erasure(); DROP TABLE erasure_ledger")
