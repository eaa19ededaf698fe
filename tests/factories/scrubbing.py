"""The scrubbing of results, to its end: it waits for transactions that other tests have open."""

from __future__ import annotations

import time

from app.services.jobs.scrub_results import scrub_results
from tests.factories.tenant_world import TenantWorld


def scrubbed(world: TenantWorld) -> None:
    """Scrub as often as beat would, until nothing is left to do."""
    deadline = time.monotonic() + 30
    while world.query("SELECT id FROM erasures"):
        assert time.monotonic() < deadline, "the scrubbing does not come to an end"
        scrub_results()
