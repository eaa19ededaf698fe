"""Whether the read replica may answer: it is asked once a second, beside the requests.

How far it is behind is measured by positions in the write-ahead log, and by the primary's clock
alone: what a replica says of itself is right also where its stream has ended without a word.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass, replace
from threading import Event, Lock, Thread

import structlog
from flask import current_app
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.database.row_security import IS_UNBOUND

_EXTENSION = "facequeue-replica"
# What a request waits for a look at most, and only when what is known is older than the lag may be.
_PATIENCE_S = 0.5
# A look takes milliseconds: what does not answer in this time answers no read either.
_ANSWERS_WITHIN_S = 1.0
_LOOK_EVERY_S = 1.0

_PRIMARY = text("""
SELECT clock_timestamp() AS now, CAST(pg_current_wal_lsn() AS text) AS position, system_identifier
FROM pg_control_system()
""")
_REPLICA = text(f"""
SELECT pg_is_in_recovery() AS follows, pg_last_wal_replay_lsn() >= CAST(:position AS pg_lsn)
  AS level, pg_last_xact_replay_timestamp() AS last_commit_at, system_identifier,
  ({IS_UNBOUND}) AS unbound
FROM pg_control_system()
""")  # noqa: S608 - SQL of ours

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Fitness:
    """How the replica was found: `fault` says why it does not answer; a lag may be unknown."""

    fault: str | None
    lag_s: float | None = None
    seen_at: float = float("-inf")


class Replica:
    """The replica of one process, and what is known of it."""

    def __init__(self, watch: Engine, primary: Engine, max_lag_s: float) -> None:
        self._watch = watch
        self._primary = primary
        self._max_lag_s = max_lag_s
        self._found = Fitness("nobody has looked at the replica yet")
        self._looking = Lock()
        self._looking_since = float("inf")

    def fitness(self, *, now: bool = False) -> Fitness:
        """What is known, which may be as old as the lag may be; `now`: wait for another look."""
        looked = self._look_again()
        if looked and (now or self._expired()):
            looked.wait(_PATIENCE_S)
        if self._expired():
            return replace(self._found, fault="the replica does not answer", lag_s=None)
        return self._found

    def distrust(self, fault: str) -> None:
        """Leave the replica alone until the next look."""
        self._conclude(Fitness(fault, seen_at=time.monotonic()))

    def _expired(self) -> bool:
        found, now = self._found, time.monotonic()
        if found.fault is not None:
            return False  # it holds until a look has found otherwise
        too_old = now - found.seen_at + (found.lag_s or 0) > self._max_lag_s
        return too_old or now - self._looking_since > _ANSWERS_WITHIN_S

    def _look_again(self) -> Event | None:
        if time.monotonic() - self._found.seen_at < _LOOK_EVERY_S:
            return None
        if not self._looking.acquire(blocking=False):
            return None
        looked = Event()
        self._looking_since = time.monotonic()
        # Not in the request: a host that has vanished would hold it until the time-out.
        Thread(target=self._look, args=(looked,), daemon=True, name="replica-look").start()
        return looked

    def _look(self, looked: Event) -> None:
        started = time.monotonic()
        try:
            self._conclude(replace(self._judge(), seen_at=started))
        except SQLAlchemyError as error:
            _log.debug("replica_not_reached", error=str(error))
            self._conclude(Fitness("the replica does not answer", seen_at=time.monotonic()))
        finally:
            self._looking_since = float("inf")
            self._looking.release()
            looked.set()

    def _judge(self) -> Fitness:
        with self._primary.connect() as connection:
            primary = connection.execute(_PRIMARY).one()
        with self._watch.connect() as connection:
            copy = connection.execute(_REPLICA, {"position": primary.position}).one()
        if not copy.follows:
            return Fitness("the replica follows nobody: it was promoted, or never was one")
        if copy.system_identifier != primary.system_identifier:
            return Fitness("the replica is one of another server")
        if copy.unbound:
            return Fitness("row-level security does not bind the replica's role: use another")
        return self._by_lag(_lag_s(primary.now, copy.last_commit_at, level=copy.level))

    def _by_lag(self, lag_s: float | None) -> Fitness:
        if lag_s is None:
            return Fitness("the replica has replayed nothing since its start")
        if lag_s > self._max_lag_s:
            return Fitness(f"the replica is {lag_s:.0f} s behind", lag_s)
        return Fitness(None, lag_s)

    def _conclude(self, found: Fitness) -> None:
        if found.fault is None and self._found.fault is not None:
            _log.info("replica_answers", lag_s=found.lag_s)
        elif found.fault is not None and self._found.fault is None:
            _log.warning("replica_left_alone", fault=found.fault)
        self._found = found


def _lag_s(now: dt.datetime, last_commit_at: dt.datetime | None, *, level: bool) -> float | None:
    """At most so old is what the replica shows, in seconds."""
    if level:
        return 0.0
    return (now - last_commit_at).total_seconds() if last_commit_at else None


def keep_replica(extensions: dict[str, object], replica: Replica) -> None:
    """Make it the application's."""
    extensions[_EXTENSION] = replica


def current_replica() -> Replica | None:
    """The application's; None without DATABASE_REPLICA_URL."""
    found: Replica | None = current_app.extensions.get(_EXTENSION)
    return found
