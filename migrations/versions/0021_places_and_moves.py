"""From which place in S3 a face came; from whom a face was taken, and what a photograph replaced

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

from migrations.partition_indexes import index_partitions
from migrations.patience import patience
from migrations.row_security import APP

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

ROWS_A_BATCH = 5000

# A digest, since the names of objects go with their jobs, and since an index takes no long text.
COLUMNS = """
ALTER TABLE faces ADD COLUMN IF NOT EXISTS place_sha256 bytea;
ALTER TABLE detections ADD COLUMN IF NOT EXISTS moved_from uuid, ADD COLUMN IF NOT EXISTS replaced jsonb
"""

PLACES = "ix_faces_collection_id_place_sha256"
MOVES = "ix_detections_moved_from"

GRANTS = f"""
GRANT UPDATE (subject_id, place_sha256, job_id, item_seq) ON faces TO {APP};
GRANT UPDATE (moved_from) ON detections TO {APP};
"""


def upgrade() -> None:
    """In steps of their own, none of which holds a table for long; cut short, it starts again."""
    with op.get_context().autocommit_block():
        op.execute(COLUMNS)
        _fill_places()
        with patience():
            # An index whose making was cut short stays, invalid.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {PLACES}")
            op.execute(f"""
CREATE INDEX CONCURRENTLY {PLACES} ON faces (collection_id, place_sha256)
  WHERE place_sha256 IS NOT NULL""")
        index_partitions(MOVES, "detections", "(moved_from) WHERE moved_from IS NOT NULL")
    op.execute(GRANTS)


def _fill_places() -> None:
    """Of faces whose jobs are still there. Walk along the key and commit each batch."""
    following = text("""
SELECT id FROM (SELECT id FROM faces WHERE id > :after ORDER BY id LIMIT :rows) AS batch
ORDER BY id DESC LIMIT 1""")
    fill = text("""
UPDATE faces SET place_sha256 = sha256(convert_to(items.image_uri, 'UTF8')) FROM items
WHERE faces.id > :after AND faces.id <= :last AND faces.place_sha256 IS NULL
  AND items.job_id = faces.job_id AND items.seq = faces.item_seq""")
    after = "00000000-0000-0000-0000-000000000000"
    while last := op.get_bind().execute(following, {"after": after, "rows": ROWS_A_BATCH}).scalar():
        op.get_bind().execute(fill, {"after": after, "last": last})
        after = str(last)


def downgrade() -> None:
    op.execute(f"""
REVOKE UPDATE (subject_id, place_sha256, job_id, item_seq) ON faces FROM {APP};
REVOKE UPDATE (moved_from) ON detections FROM {APP};
DROP INDEX {PLACES};
DROP INDEX {MOVES};
ALTER TABLE faces DROP COLUMN place_sha256;
ALTER TABLE detections DROP COLUMN moved_from, DROP COLUMN replaced""")
