"""Plans for a few rows of large tables that do not depend on statistics."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

_BY_KEY = text("""
SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
  set_config('enable_material', 'off', true), set_config('enable_seqscan', 'off', true)
""")


def plan_by_key(session: Session) -> None:
    """Until the transaction ends, let joins look each row up by its key.

    A batch finds tens of rows among millions. Where a large job has just been inserted and not yet
    been analysed, the planner takes it for a small one and would read all of it for every batch.
    For the same reason such a statement must not name the jobs a second time, as literals.
    """
    session.execute(_BY_KEY)
