"""How much work of a tenant is open."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

_OPEN_INTERACTIVE = text("""
SELECT coalesce(sum(open_items), 0) FROM (
  SELECT open_items FROM shards
  WHERE tenant_id = :tenant_id AND priority = 'interactive' AND state IN ('pending', 'leased')
  LIMIT :at_most
) AS open_shards
""")


def open_interactive_items(session: Session, tenant_id: UUID, *, at_most: int) -> int:
    """Open items of the tenant in the interactive lane; counting stops at `at_most` shards."""
    parameters = {"tenant_id": tenant_id, "at_most": at_most}
    return int(session.execute(_OPEN_INTERACTIVE, parameters).scalar_one())
