"""Transactions, one role each. Whoever enters one sees it committed on leaving, or rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, TextClause, text
from sqlalchemy.orm import Session

from app.database.base import db
from app.domain.errors import ConfigurationError

_SEE_TENANT = text("SELECT set_config('app.tenant_id', :tenant_id, true)")
# Both in one round trip.
_READ_TENANT = text("""
SELECT set_config('app.tenant_id', :tenant_id, true),
  set_config('transaction_read_only', 'on', true)
""")
_AFTER_COMMIT = "after_commit"
_current: ContextVar[tuple[UUID, Session] | None] = ContextVar("tenant_transaction", default=None)


@contextmanager
def tenant_transaction(tenant_id: UUID) -> Iterator[Session]:
    """A transaction of the app role that sees one tenant's rows only.

    Entered again for the same tenant, it joins the outer one, which alone commits: this is how an
    idempotency record shares the transaction of its effect.
    """
    with _joined(tenant_id, _SEE_TENANT) as session:
        yield session


@contextmanager
def read_transaction(tenant_id: UUID) -> Iterator[Session]:
    """The same for reading alone: the server refuses a write. It joins, and is joined, likewise.

    It sees what is committed; for what may be a moment old there is `recent_reads`. What decides
    about a write is read in the `tenant_transaction` that writes.
    """
    with _joined(tenant_id, _READ_TENANT) as session:
        yield session


@contextmanager
def replica_transaction(tenant_id: UUID) -> Iterator[Session]:
    """The same on the replica, and it joins nothing; `recent_reads` says when it may be used."""
    with _seeing(tenant_id, _READ_TENANT, "replica") as session:
        yield session


def has_transaction(tenant_id: UUID) -> bool:
    """Whether a transaction of this tenant is open, which a read must join to see its writes."""
    outer = _current.get()
    return outer is not None and outer[0] == tenant_id


@contextmanager
def separate_transaction(tenant_id: UUID) -> Iterator[Session]:
    """The same as `tenant_transaction`, but joins no outer one: what it writes stays.

    Its connections are a pool of their own. Were they of the same, as many requests as that one has
    connections could hold one each, and wait for ever for a second.
    """
    with _seeing(tenant_id, _SEE_TENANT, "separate") as session:
        yield session


@contextmanager
def _joined(tenant_id: UUID, opening: TextClause) -> Iterator[Session]:
    outer = _current.get()
    if outer is not None and outer[0] == tenant_id:
        yield outer[1]
        return
    with _seeing(tenant_id, opening) as session:
        yield session


@contextmanager
def _seeing(tenant_id: UUID, opening: TextClause, bind: str | None = None) -> Iterator[Session]:
    with _transaction(bind) as session:
        session.execute(opening, {"tenant_id": str(tenant_id)})
        token = _current.set((tenant_id, session))
        try:
            yield session
        finally:
            _current.reset(token)


@contextmanager
def single_statements() -> Iterator[Connection]:
    """A connection of the app role without BEGIN and COMMIT: a statement is one round trip."""
    with db.engine.connect() as connection:
        # Not SQLAlchemy's isolation level: psycopg2 sends a SET for it, before and after.
        driver: Any = connection.connection.driver_connection
        driver.autocommit = True
        try:
            yield connection
        finally:
            if not driver.closed:
                driver.autocommit = False


@contextmanager
def queue_transaction() -> Iterator[Session]:
    """A transaction of the queue role: every tenant's shards, job headers and deliveries."""
    with _transaction("queue") as session:
        yield session


@contextmanager
def owner_transaction() -> Iterator[Session]:
    """A transaction of the owner: commands and maintenance.

    Raises:
        ConfigurationError: DATABASE_OWNER_URL is not set in this process.
    """
    if "owner" not in db.engines:
        raise ConfigurationError("DATABASE_OWNER_URL is not set; this command needs the owner role")
    with _transaction("owner") as session:
        yield session


@contextmanager
def _transaction(bind: str | None) -> Iterator[Session]:
    with Session(db.engines[bind], expire_on_commit=False, autoflush=False) as session:
        with session.begin():
            yield session
        for callback in session.info.pop(_AFTER_COMMIT, ()):
            callback()


def after_commit(session: Session, callback: Callable[[], None]) -> None:
    """Run `callback` once the outermost transaction of `session` is committed, never otherwise."""
    session.info.setdefault(_AFTER_COMMIT, []).append(callback)
