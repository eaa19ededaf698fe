"""Reads of what may be a moment old: by the replica where it may answer, else by the primary."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from app.database.replica import Replica, current_replica
from app.database.transactions import has_transaction, read_transaction, replica_transaction
from app.domain.request_errors import NotFound

Found = TypeVar("Found")

# A position in the write-ahead log that every server has reached.
ANY_POSITION = "0/0"

_HAS_REACHED = text("SELECT pg_last_wal_replay_lsn() >= CAST(:position AS pg_lsn)")
# SQLSTATE classes with which the replica is well: what the client sent, and a statement that made
# way for what the primary does. As the latter counts that all our connections are in use.
_PASSING = ("22", "40")
_BUSY = "40"

# Returns the position whose writes must be seen; None: the primary's. Outside of requests nobody
# has said that a moment old will do.
_asker: ContextVar[Callable[[], str | None] | None] = ContextVar("recent_reads", default=None)

_log = structlog.get_logger(__name__)


def let_replica_answer(position: Callable[[], str | None] | None) -> None:
    """Let this context's recent reads be a replica's that has reached `position()`; None: none."""
    _asker.set(position)


@dataclass(frozen=True)
class RecentReads:
    """Where one request reads what may be a moment old. It is known once, and holds nothing."""

    replica: Replica | None
    position: str = ANY_POSITION

    def read(self, tenant_id: UUID, read: Callable[[Session], Found]) -> Found:
        """Return what `read` reads; it may be called twice.

        What the replica does not know, the primary is asked for: it may be new.
        """
        try:
            found = self.try_replica(tenant_id, read)
        except NotFound:
            found = None
        if found is not None:
            return found
        with read_transaction(tenant_id) as session:
            return read(session)

    def try_replica(self, tenant_id: UUID, read: Callable[[Session], Found | None]) -> Found | None:
        """Return what `read` reads from the replica, or None where that may not or cannot answer.

        Raises:
            NotFound: as `read` does.
        """
        if self.replica is None or self.replica.fitness().fault or has_transaction(tenant_id):
            return None
        try:
            with replica_transaction(tenant_id) as session:
                if not session.execute(_HAS_REACHED, {"position": self.position}).scalar():
                    return None
                return read(session)
        except SQLAlchemyError as error:
            self._report(error, self.replica)
            return None

    @staticmethod
    def _report(error: SQLAlchemyError, replica: Replica) -> None:
        state = getattr(error.orig, "pgcode", None) if isinstance(error, DBAPIError) else _BUSY
        _log.warning("replica_read_failed", sqlstate=state, kind=type(error).__name__)
        if state is None or not state.startswith(_PASSING):
            replica.distrust("a read from the replica failed")


def recent_reads() -> RecentReads:
    """Where the request that is being served reads what may be a moment old."""
    asker, replica = _asker.get(), current_replica()
    if asker is None or replica is None or replica.fitness().fault:
        return RecentReads(None)
    position = asker()
    return RecentReads(None) if position is None else RecentReads(replica, position)
