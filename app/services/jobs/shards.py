"""The life of a shard: every change of its state and of its lease, by the table of moves.

Who makes a move, when and in what order is with the callers, and so are the transactions. None of
these functions changes a shard that is in a state from which the table has no such move.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Session

from app.domain.lease import POISON_DEATHS, Holder, Lease, ShardRef
from app.domain.states import SHARD_TRANSITIONS, Priority, ShardMove

_LEASE_COLUMNS = ("leased_until", "lease_instance", "lease_pid")
_GIVE_UP = ", ".join(f"{column} = NULL" for column in _LEASE_COLUMNS)
_NO_HINT = "hint_expires_at = NULL"
_NO_BLAME = "attempt_count = 0, trial_seq = NULL, trial_deaths = 0"
_THIS = "job_id = :job_id AND shard_no = :shard_no"
_UNDER_TOKEN = f"{_THIS} AND lease_token = :token"


def _before(move: ShardMove) -> str:
    # Literals, one by one: the partial indexes are found by them.
    states = [f"'{state}'" for state in sorted(SHARD_TRANSITIONS[move].before)]
    return f"state = {states[0]}" if len(states) == 1 else f"state IN ({', '.join(states)})"


def _set(move: ShardMove, *changes: str) -> str:
    way = SHARD_TRANSITIONS[move]
    state = () if way.before == {way.after} else (f"state = '{way.after}'",)
    return f"UPDATE shards SET {', '.join((*state, *changes))}"  # noqa: S608 - fragments of ours


def _update(move: ShardMove, *changes: str, where: str) -> str:
    """One move of the shards that are known: a caller waits for who has locked them."""
    return f"{_set(move, *changes)} WHERE {where} AND {_before(move)}"


def _claim(move: ShardMove, *changes: str, where: str) -> TextClause:
    """One move of shards that are looked for: whoever has locked one may keep it."""
    found = (
        f"SELECT job_id, shard_no FROM shards WHERE {where} AND {_before(move)} "  # noqa: S608 - fragments of ours
        "ORDER BY job_id, shard_no FOR UPDATE SKIP LOCKED"
    )
    return text(
        f"{_set(move, *changes)} WHERE (job_id, shard_no) IN ({found}) RETURNING job_id, shard_no"
    )


def _cancel(move: ShardMove, *changes: str) -> TextClause:
    """Cancel shards of a job and add up what was open in them."""
    closed = f"{_update(move, *changes, where='job_id = :job_id')} RETURNING open_items"
    return text(f"WITH closed AS ({closed}) SELECT coalesce(sum(open_items), 0) FROM closed")  # noqa: S608 - fragments of ours


_HINT = _claim(
    ShardMove.HINT,
    "hint_expires_at = clock_timestamp() + :life",
    where=f"{_THIS} AND (hint_expires_at IS NULL OR hint_expires_at < clock_timestamp())",
)

_TAKEN = _update(
    ShardMove.TAKE,
    "lease_token = lease_token + 1",
    "leased_until = clock_timestamp() + :life, lease_instance = :instance, lease_pid = :pid",
    "attempt_count = attempt_count + 1",
    _NO_HINT,
    where=_THIS,
)
_TAKE = text(f"{_TAKEN} RETURNING *")

_RENEWED = _update(ShardMove.RENEW, "leased_until = clock_timestamp() + :life", where=_UNDER_TOKEN)
_RENEW = text(f"{_RENEWED} RETURNING shard_no")

_TRIED = _update(
    ShardMove.BEGIN_TRIAL,
    "trial_deaths = CASE WHEN trial_seq = :seq THEN trial_deaths ELSE 0 END",
    "trial_seq = :seq",
    where=_UNDER_TOKEN,
)
_BEGIN_TRIAL = text(f"{_TRIED} RETURNING trial_deaths")

_HAND_BACK = text(
    _update(ShardMove.HAND_BACK, _GIVE_UP, _NO_BLAME, "waits_for = :waits_for", where=_UNDER_TOKEN)
)

_RECLAIM = _claim(
    ShardMove.RECLAIM,
    _GIVE_UP,
    _NO_HINT,
    "isolated = isolated OR attempt_count >= :suspect",
    "trial_deaths = CASE WHEN trial_seq IS NOT NULL AND attempt_count >= :hopeless "
    "THEN greatest(trial_deaths, :poison) ELSE trial_deaths END",
    where="leased_until < clock_timestamp()",
)

_FREE = text(
    _update(
        ShardMove.FREE,
        _GIVE_UP,
        "isolated = true",
        "trial_deaths = trial_deaths + (trial_seq IS NOT NULL)::integer",
        where=_UNDER_TOKEN,
    )
)

_IS_LAST = "open_items = row.closed"
_FINISHED = SHARD_TRANSITIONS[ShardMove.FINISH].after

_COUNTED = _set(
    ShardMove.COUNT,
    "open_items = open_items - row.closed",
    _NO_BLAME,
    "isolated = isolated AND NOT row.cleared",
    f"state = CASE WHEN {_IS_LAST} THEN '{_FINISHED}' ELSE state END",
    *(f"{name} = CASE WHEN {_IS_LAST} THEN NULL ELSE {name} END" for name in _LEASE_COLUMNS),
)
_COUNT = text(f"""
{_COUNTED}
FROM unnest(:job_ids, CAST(:shard_nos AS integer[]), CAST(:closed AS integer[]),
  CAST(:cleared AS boolean[])) AS row (job_id, shard_no, closed, cleared)
WHERE shards.job_id = row.job_id AND shards.shard_no = row.shard_no AND {_before(ShardMove.COUNT)}
RETURNING shards.job_id, shards.shard_no, shards.state
""").bindparams(bindparam("job_ids", type_=ARRAY(PG_UUID)))

_CANCEL_PENDING = _cancel(ShardMove.CANCEL_PENDING, _NO_HINT)
_CANCEL_OPEN = _cancel(ShardMove.CANCEL_OPEN, _NO_HINT, _GIVE_UP)
_LEFT = _update(ShardMove.CANCEL_LEASED, _GIVE_UP, where=_UNDER_TOKEN)
_CANCEL_LEASED = text(f"{_LEFT} RETURNING open_items")


def set_hint(session: Session, shard: ShardRef, life_s: float) -> bool:
    """Note that a message is published for a shard that waits; False when it needs none now."""
    return session.execute(_HINT, _key(shard) | {"life": _seconds(life_s)}).first() is not None


def take(session: Session, shard: ShardRef, holder: Holder, life_s: float) -> Lease | None:
    """Lease a pending shard to a holder; None when it is not there to be taken."""
    parameters = {"life": _seconds(life_s), "instance": holder.instance, "pid": holder.pid}
    row = session.execute(_TAKE, _key(shard) | parameters).first()
    return _lease(row, holder) if row else None


def renew(session: Session, lease: Lease, life_s: float) -> bool:
    """Extend a lease; False when it was lost."""
    return session.execute(_RENEW, lease.key | {"life": _seconds(life_s)}).first() is not None


def begin_trial(session: Session, lease: Lease, seq: int) -> int | None:
    """Record the item that is alone in flight; returns the deaths it had part in.

    None when the lease is lost.
    """
    deaths: int | None = session.execute(_BEGIN_TRIAL, lease.key | {"seq": seq}).scalar()
    return deaths


def hand_back(session: Session, lease: Lease, *, waits_for: str | None = None) -> None:
    """Give a lease up, no attempt counted: the shard was not at fault.

    `waits_for` names the bucket without which the rest of it cannot be done now.
    """
    session.execute(_HAND_BACK, lease.key | {"waits_for": waits_for})


def reclaim_expired(session: Session, *, suspect: int, hopeless: int) -> list[ShardRef]:
    """Put shards back whose leases ran out, except those that somebody works on in the database.

    One that was taken `suspect` times in a row without a result is isolated; at `hopeless` times,
    the item on trial has its share of deaths.
    """
    limits = {"suspect": suspect, "hopeless": hopeless, "poison": POISON_DEATHS}
    return [ShardRef(row.job_id, row.shard_no) for row in session.execute(_RECLAIM, limits)]


def free(session: Session, shard: ShardRef, token: int) -> None:
    """Put back a shard whose holder died under a living parent.

    It is a suspect now, to be tried item by item, and the item that was on trial had a death.
    """
    session.execute(_FREE, _key(shard) | {"token": token})


class ShardCount(NamedTuple):
    """How many items of a shard were closed; `cleared` when its poison was among them."""

    shard: ShardRef
    closed: int
    cleared: bool


def count_closed(session: Session, counts: Sequence[ShardCount]) -> set[ShardRef]:
    """Take closed items off their shards, which the caller has locked; returns those now done."""
    rows = session.execute(
        _COUNT,
        {
            "job_ids": [count.shard.job_id for count in counts],
            "shard_nos": [count.shard.shard_no for count in counts],
            "closed": [count.closed for count in counts],
            "cleared": [count.cleared for count in counts],
        },
    )
    return {ShardRef(row.job_id, row.shard_no) for row in rows if row.state == _FINISHED}


def cancel_pending(session: Session, job_id: UUID) -> int:
    """Cancel the shards of a job that nobody holds; returns how many items were open in them."""
    return int(session.execute(_CANCEL_PENDING, {"job_id": job_id}).scalar_one())


def cancel_leased(session: Session, lease: Lease) -> int:
    """Cancel a shard under its lease; returns its open items, 0 when the lease was lost."""
    return int(session.execute(_CANCEL_LEASED, lease.key).scalar() or 0)


def cancel_open(session: Session, job_id: UUID) -> int:
    """Cancel the shards of a job, held or not; returns how many items were open in them.

    Their holders find their token gone and stop.
    """
    return int(session.execute(_CANCEL_OPEN, {"job_id": job_id}).scalar_one())


def _key(shard: ShardRef) -> dict[str, Any]:
    return {"job_id": shard.job_id, "shard_no": shard.shard_no}


def _seconds(seconds: float) -> dt.timedelta:
    return dt.timedelta(seconds=seconds)


def _lease(row: Row[Any], holder: Holder) -> Lease:
    return Lease(
        shard=ShardRef(row.job_id, row.shard_no),
        tenant_id=row.tenant_id,
        token=row.lease_token,
        holder=holder,
        first_seq=row.first_seq,
        item_count=row.item_count,
        open_items=row.open_items,
        priority=Priority(row.priority),
        isolated=row.isolated,
        trial_seq=row.trial_seq,
        trial_deaths=row.trial_deaths,
    )
