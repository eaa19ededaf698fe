"""How much work of a tenant is open."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

# State by state, as the indexes are.
_OPEN_INTERACTIVE = text("""
SELECT coalesce(sum(open_items), 0) FROM (
  (SELECT open_items FROM shards
   WHERE model = :model AND priority = 'interactive' AND tenant_id = :tenant_id
     AND state = 'pending'
   ORDER BY job_id LIMIT :at_most)
  UNION ALL
  (SELECT open_items FROM shards
   WHERE model = :model AND priority = 'interactive' AND tenant_id = :tenant_id
     AND state = 'leased' LIMIT :at_most)
) AS open_shards
""")


def open_interactive_items(session: Session, tenant_id: UUID, model: str, *, at_most: int) -> int:
    """Open items of the tenant in a model's interactive lane.

    Counting stops at `at_most` shards that wait, and at as many that are held.
    """
    parameters = {"tenant_id": tenant_id, "model": model, "at_most": at_most}
    return int(session.execute(_OPEN_INTERACTIVE, parameters).scalar_one())
