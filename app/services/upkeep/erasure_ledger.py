"""Use cases: the erasure ledger is read, exported beside the backups, and noted as repeated."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.database.transactions import owner_transaction
from app.domain.erasure_ledger import ErasedKind, ErasedThing
from app.domain.identifiers import new_id
from app.models.erasure import LedgerEntry

_BATCH = 10_000


def export_ledger(folder: Path) -> int:
    """Write entries that no file has yet to new files in `folder`; returns how many there were.

    A crash between a file and the note of it makes the batch be written again, which does no harm.
    """
    total = 0
    while True:
        with owner_transaction() as session:
            query = select(LedgerEntry).where(LedgerEntry.exported_at.is_(None))
            query = query.order_by(LedgerEntry.created_at).limit(_BATCH)
            rows = session.scalars(query.with_for_update(skip_locked=True)).all()
            if rows:
                _write(folder, [_thing(row) for row in rows])
                noted = update(LedgerEntry).where(LedgerEntry.id.in_([row.id for row in rows]))
                session.execute(
                    noted.values(exported_at=func.now()).execution_options(
                        synchronize_session=False
                    )
                )
        total += len(rows)
        if len(rows) < _BATCH:
            return total


def unknown_entries(things: Sequence[ErasedThing]) -> list[ErasedThing]:
    """Those that this database's own ledger does not have: it was restored from before them."""
    known: set[UUID] = set()
    with owner_transaction() as session:
        for first in range(0, len(things), _BATCH):
            ids = [thing.id for thing in things[first : first + _BATCH]]
            known |= set(session.scalars(select(LedgerEntry.id).where(LedgerEntry.id.in_(ids))))
    return [thing for thing in things if thing.id not in known]


def note_repeated(thing: ErasedThing) -> None:
    """Enter an erasure that was repeated under the id that it had; it is in a file already."""
    values = {
        "id": thing.id,
        "tenant_id": thing.tenant_id,
        "kind": thing.kind.value,
        "target_id": thing.target_id,
        "collection_id": thing.collection_id,
        "job_id": thing.job_id,
        "item_seq": thing.item_seq,
        "created_at": thing.created_at,
        "exported_at": func.now(),
    }
    with owner_transaction() as session:
        session.execute(insert(LedgerEntry).values(values).on_conflict_do_nothing())


def read_ledger(files: Sequence[Path]) -> Iterator[ErasedThing]:
    """Read exported files back.

    Raises:
        ValueError: a line is no entry; the message names the file.
    """
    for path in files:
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                yield ErasedThing.parse(line)
            except ValueError as error:
                raise ValueError(f"{path} is damaged: {error}") from error


def _write(folder: Path, things: Sequence[ErasedThing]) -> None:
    """A whole file or none: it is renamed once it is on the disk."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}-{new_id()}.jsonl"
    draft = path.with_suffix(".draft")
    with draft.open("w", encoding="utf-8") as handle:
        handle.writelines(thing.line() + "\n" for thing in things)
        handle.flush()
        os.fsync(handle.fileno())
    draft.rename(path)


def _thing(row: LedgerEntry) -> ErasedThing:
    return ErasedThing(
        id=row.id,
        tenant_id=row.tenant_id,
        kind=ErasedKind(row.kind),
        target_id=row.target_id,
        collection_id=row.collection_id,
        job_id=row.job_id,
        item_seq=row.item_seq,
        created_at=row.created_at,
    )
