"""A log of many events: how long it takes to chain and to verify it, and in how much memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass

from scripts.bench.trial.database import Database
from scripts.bench.trial.stack import TrialStack
from scripts.stack.environment import process_environment
from scripts.stack.state import ROOT

# As a submission's; a tenant of its own for each so many.
_FILL = """
INSERT INTO audit_events (id, tenant_id, action, actor_key_id, actor_address, target_type,
  target_id, detail, request_id)
SELECT gen_random_uuid(),
  ('00000000-0000-4000-8000-' || lpad((number %% %s)::text, 12, '0'))::uuid,
  'job.submitted', gen_random_uuid(), '192.0.2.1', 'job', gen_random_uuid(),
  '{"operation": "identify", "items": 100}', gen_random_uuid()::text
FROM generate_series(1, %s) AS number
"""


@dataclass(frozen=True)
class Ran:
    """A command that came to its end."""

    seconds: float
    megabytes: float
    output: str


class LargeLog:
    """The audit log of a stack, filled for the purpose."""

    def __init__(self, stack: TrialStack) -> None:
        self._stack = stack

    def fill(self, events: int, tenants: int) -> None:
        """Add unchained events."""
        database = Database(self._stack.settings["DATABASE_OWNER_URL"])
        try:
            database.rows(_FILL, tenants, events)
            database.rows("ANALYZE audit_events")
        finally:
            database.close()

    def chain(self) -> dict[str, float]:
        """Chain all that waits, with the operators' command."""
        ran = self._run("chain")
        return {"seconds": ran.seconds, "max_rss_mb": ran.megabytes}

    def verify(self) -> dict[str, object]:
        """Verify all, with the operators' command."""
        ran = self._run("verify", "--json")
        found = json.loads(ran.output.splitlines()[-1])
        return {
            **{name: found[name] for name in ("whole", "tenants", "events")},
            "seconds": ran.seconds,
            "events_per_s": round(found["events"] / ran.seconds),
            "max_rss_mb": ran.megabytes,
        }

    def _run(self, *arguments: str) -> Ran:
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "audit", *arguments]
        began = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=process_environment(self._stack.state),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        output = process.stdout.read() if process.stdout else ""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{' '.join(arguments)} failed: {output}")
        return Ran(round(time.monotonic() - began, 1), round(used.ru_maxrss / 1024, 1), output)
