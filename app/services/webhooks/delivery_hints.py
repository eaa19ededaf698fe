"""Use case: the dispatcher takes the webhook deliveries to publish next."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text

from app.database.transactions import queue_transaction
from app.domain.webhooks import CONCURRENT_PER_ENDPOINT

# As many of an endpoint as may be under way there, those hinted or leased already included: a
# receiver that is slow, or has a long backlog, fills neither the broker nor the workers. The worker
# that frees a place takes the endpoint's next one by itself.
_CLAIM = text("""
WITH due AS (
  SELECT id, next_attempt_at,
    hint_expires_at < clock_timestamp() IS NOT FALSE
      AND leased_until < clock_timestamp() IS NOT FALSE AS is_free,
    row_number() OVER (
      PARTITION BY endpoint_id
      ORDER BY leased_until > clock_timestamp() DESC NULLS LAST,
               hint_expires_at > clock_timestamp() DESC NULLS LAST, next_attempt_at) AS place
  FROM webhook_deliveries
  WHERE state = 'pending' AND next_attempt_at <= clock_timestamp()
)
UPDATE webhook_deliveries SET hint_expires_at = clock_timestamp() + :life
WHERE id IN (
  SELECT d.id FROM due JOIN webhook_deliveries d USING (id)
  WHERE due.is_free AND due.place <= :per_endpoint AND d.state = 'pending'
  ORDER BY due.place, due.next_attempt_at LIMIT :at_most
  FOR UPDATE OF d SKIP LOCKED)
RETURNING id, tenant_id
""")


def claim_delivery_hints(life_s: float, at_most: int = 100) -> list[tuple[str, str]]:
    """Mark webhook deliveries that are due, a few of each endpoint.

    Args:
        life_s: seconds until a hint counts as lost.
        at_most: how many to take now.

    Returns:
        Pairs of delivery id and tenant id.
    """
    parameters = {
        "life": dt.timedelta(seconds=life_s),
        "per_endpoint": CONCURRENT_PER_ENDPOINT,
        "at_most": at_most,
    }
    with queue_transaction() as session:
        rows = session.execute(_CLAIM, parameters)
        return [(str(row.id), str(row.tenant_id)) for row in rows]
