"""Part of verifying the audit log: one tenant's chain, from its start to its head."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.domain.audit_chain import link_hash
from app.domain.audit_checkpoint import Checkpoint, Head
from app.domain.audit_report import BadEvent, Problem
from app.queries.audit_chain import (
    beyond_head,
    chain_of,
    chained_events,
    is_removal_on_record,
    oldest_unchained,
)
from app.services.upkeep.prune_audit import REMOVAL

_PAGE = 5000
# The chainer comes each minute; a transaction that writes for longer than this is a fault as well.
_PATIENCE = dt.timedelta(minutes=10)


class ChainCheck:
    """One tenant's chain against its events and its checkpoints.

    Args:
        session: the owner's; events are read a page at a time.
        tenant_id: whose chain.
        checkpoints: what was signed of it.
        progress: told how many more events were checked.
    """

    def __init__(
        self,
        session: Session,
        tenant_id: UUID,
        checkpoints: Sequence[Checkpoint],
        progress: Callable[[int], None],
    ) -> None:
        self._session = session
        self._tenant_id = tenant_id
        self._progress = progress
        # Before any event: what is chained meanwhile is not missed at the end.
        self._chain = chain_of(session, tenant_id)
        self._signed: dict[int, list[Head]] = defaultdict(list)
        for checkpoint in checkpoints:
            self._signed[checkpoint.head.chain_no].append(checkpoint.head)
        self._no = self._chain.anchor_no
        self._hash = bytes(self._chain.anchor_hash)
        self.events = 0
        self.compared = 0

    def first_bad(self) -> BadEvent | None:
        """The first place that is wrong; None when nothing is."""
        return next(self._problems(), None)

    def _problems(self) -> Iterator[BadEvent]:
        yield from self._at_start()
        yield from self._along()
        yield from self._at_end()
        yield from self._outside()

    def _at_start(self) -> Iterator[BadEvent]:
        if self._no and not is_removal_on_record(
            self._session, self._tenant_id, REMOVAL, self._no, self._hash
        ):
            yield self._bad(
                "start", f"events up to {self._no} are gone, and no event says who removed them"
            )
        yield from self._against_signed(None)

    def _along(self) -> Iterator[BadEvent]:
        for page in chained_events(self._session, self._tenant_id, _PAGE):
            for event in page:
                if event.chain_no > self._chain.head_no:
                    return
                yield from self._event(event)
            self.events += len(page)
            self._progress(len(page))

    def _event(self, event: Row[Any]) -> Iterator[BadEvent]:
        expected = self._no + 1
        if event.chain_no > expected:
            gone = "event" if event.chain_no == expected + 1 else "events"
            yield self._bad("missing", f"{gone} {expected} to {event.chain_no - 1}", expected)
        elif event.chain_no < expected:
            yield self._bad("inserted", f"the chain begins at {expected}", event.chain_no, event.id)
        self._no, stored = event.chain_no, bytes(event.chain_hash)
        if link_hash(self._hash, event.chain_no, event) != stored:
            yield self._bad("changed", "it does not fit its hash here", event.chain_no, event.id)
        self._hash = stored
        yield from self._against_signed(event.id)

    def _against_signed(self, event_id: UUID | None) -> Iterator[BadEvent]:
        for head in self._signed.pop(self._no, ()):
            self.compared += 1
            if head.chain_hash != self._hash:
                yield self._bad(
                    "rewritten",
                    f"the checkpoint of {head.created_at:%Y-%m-%d %H:%M} has another hash here",
                    self._no,
                    event_id,
                )

    def _at_end(self) -> Iterator[BadEvent]:
        if self._no != self._chain.head_no:
            first, last = self._no + 1, self._chain.head_no
            yield self._bad("missing", f"events {first} to {last} at the end", first)
        elif self._hash != bytes(self._chain.head_hash):
            yield self._bad("changed", "the head of the chain has another hash", self._no)
        beyond = [no for no in self._signed if no > self._no]
        if beyond:
            signed = max(beyond)
            yield self._bad("missing", f"a checkpoint has seen {signed} events", self._no + 1)

    def _outside(self) -> Iterator[BadEvent]:
        found = beyond_head(self._session, self._tenant_id)
        if found is not None:
            yield self._bad("inserted", "the chain ends before it", found.chain_no, found.id)
        before = dt.datetime.now(dt.UTC) - _PATIENCE
        waiting = oldest_unchained(self._session, self._tenant_id, before)
        if waiting is not None:
            since = f"it waits since {waiting.created_at:%Y-%m-%d %H:%M}: flask audit chain"
            yield self._bad("unchained", since, None, waiting.id)

    def _bad(
        self,
        problem: Problem,
        explanation: str,
        chain_no: int | None = None,
        event_id: UUID | None = None,
    ) -> BadEvent:
        return BadEvent(self._tenant_id, problem, explanation, chain_no, event_id)
