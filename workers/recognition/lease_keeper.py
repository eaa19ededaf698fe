"""A thread that renews the leases of a task, so that a slow image does not cost them."""

from __future__ import annotations

import threading
import time
from typing import Self

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app.domain.lease import Lease
from app.services.leases.lease_shards import renew_leases

_log = structlog.get_logger(__name__)

# Three renewals in the life of a lease: two may fail.
_RENEWALS_A_LIFE = 3


class LeaseKeeper:
    """Renews what it is told to keep, but never past `longest_s`: a task that hangs is let go."""

    def __init__(self, app: Flask, life_s: float, longest_s: float) -> None:
        self._app = app
        self._life_s = life_s
        self._deadline = time.monotonic() + longest_s
        self._kept: dict[tuple[str, int], Lease] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def keep(self, lease: Lease) -> None:
        """Renew this lease from now on."""
        with self._lock:
            self._kept[str(lease.shard), lease.token] = lease

    def let_go(self, lease: Lease) -> None:
        """Renew it no longer."""
        with self._lock:
            self._kept.pop((str(lease.shard), lease.token), None)

    def holds(self, lease: Lease) -> bool:
        """Whether the last renewal found the lease still ours."""
        with self._lock:
            return (str(lease.shard), lease.token) in self._kept

    def _run(self) -> None:
        while not self._stop.wait(self._life_s / _RENEWALS_A_LIFE):
            if time.monotonic() > self._deadline:
                return
            with self._lock:
                leases = list(self._kept.values())
            try:
                with self._app.app_context():
                    held = set(renew_leases(leases, self._life_s))
            except SQLAlchemyError as error:
                _log.warning("lease_renewal_failed", error=str(error))
                continue
            for lease in leases:
                if lease not in held:
                    self.let_go(lease)
