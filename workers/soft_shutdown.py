"""A worker that stops as soon as its work is handed back.

Celery's own soft shutdown sleeps for the whole of its time-out, and announces the shutdown only
afterwards: children would go on as if nothing had happened and lose what they hold at its end.
"""

from __future__ import annotations

import time

import structlog
from celery import signals
from celery.apps.worker import Worker
from celery.worker import state

from workers.recognition import shutdown

_log = structlog.get_logger(__name__)

_LOOK_S = 0.05


class SoftWorker(Worker):  # type: ignore[misc]  # Celery has no types
    """Tells its children at the signal, and waits for them, but not for longer."""

    def wait_for_soft_shutdown(self) -> None:
        """Wait until no task runs, for the soft shutdown time-out at most."""
        signals.worker_shutting_down.send(
            sender=self.hostname, sig="SIGQUIT", how="Soft", exitcode=0
        )
        _log.info("soft_shutdown", seconds=self.app.conf.worker_soft_shutdown_timeout)
        deadline = time.monotonic() + self.app.conf.worker_soft_shutdown_timeout
        while self._is_busy() and time.monotonic() < deadline:
            time.sleep(_LOOK_S)

    def _is_busy(self) -> bool:
        # Inside the signal's handler the loop that hears of ended tasks stands still, so the
        # children of a pool of processes are asked themselves.
        if self.pool is not None and self.pool.uses_semaphore:
            return shutdown.anyone_at_work()
        return bool(state.active_requests)
