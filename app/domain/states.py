"""The states of jobs, items, shards and deliveries, and the moves between them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.domain.errors import IllegalTransition


class Operation(StrEnum):
    """What a job does with each image."""

    DETECT = "detect"
    ENROL = "enrol"
    IDENTIFY = "identify"
    VERIFY = "verify"

    @property
    def needs_collection(self) -> bool:
        """Whether a job of this operation cannot run without a gallery."""
        return self in {Operation.ENROL, Operation.IDENTIFY}


class Priority(StrEnum):
    """`interactive` shards are taken before `bulk` ones; a fifth of the slots stays with bulk."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


class JobState(StrEnum):
    """The life of a job; the moves are in `JOB_TRANSITIONS`."""

    PREPARING = "preparing"
    QUEUED = "queued"
    PROCESSING = "processing"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"


class JobFailure(StrEnum):
    """Why a job as a whole could not run: its `failure_code`, listed in docs/errors.md."""

    COLLECTION_DELETED = "collection_deleted"


class ItemState(StrEnum):
    """The life of one image of a job."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class ShardState(StrEnum):
    """`leased` says that a worker holds it; whether the lease still lives is in `leased_until`."""

    PENDING = "pending"
    LEASED = "leased"
    DONE = "done"
    CANCELED = "canceled"


class ShardMove(StrEnum):
    """What happens to a shard; the moves are in `SHARD_TRANSITIONS`."""

    HINT = "hint"
    TAKE = "take"
    RENEW = "renew"
    BEGIN_TRIAL = "begin_trial"
    HAND_BACK = "hand_back"
    RECLAIM = "reclaim"
    FREE = "free"
    COUNT = "count"
    FINISH = "finish"
    CANCEL_PENDING = "cancel_pending"
    CANCEL_LEASED = "cancel_leased"
    CANCEL_OPEN = "cancel_open"


class Decision(StrEnum):
    """The answer for a face (`match`, `unknown`, `ambiguous`) or a pair (`match`, `no_match`)."""

    MATCH = "match"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"
    NO_MATCH = "no_match"


class EnrolFaces(StrEnum):
    """Which faces of an enrolment image become gallery faces."""

    ONLY = "only"
    LARGEST = "largest"
    ALL = "all"


class EndpointState(StrEnum):
    """Whether an endpoint is called; while it is not, its deliveries are held."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class DeliveryState(StrEnum):
    """`exhausted` has used up its attempts; `held` waits for its endpoint to be enabled."""

    PENDING = "pending"
    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"
    HELD = "held"


class EventType(StrEnum):
    """Webhook event types."""

    JOB_SUCCEEDED = "job.succeeded"
    JOB_FAILED = "job.failed"
    JOB_CANCELED = "job.canceled"
    JOB_EXPIRED = "job.expired"
    TEST = "endpoint.test"


TERMINAL_JOB_STATES = frozenset(
    {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED, JobState.EXPIRED}
)

JOB_TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    # Its shards are worked on, but until it is sealed it neither leaves this state for that nor
    # ends by its items.
    JobState.PREPARING: frozenset(
        {
            JobState.QUEUED,
            JobState.PROCESSING,
            JobState.CANCELLING,
            JobState.FAILED,
            JobState.EXPIRED,
        }
    ),
    JobState.QUEUED: frozenset(
        {JobState.PROCESSING, JobState.CANCELLING, JobState.FAILED, JobState.EXPIRED}
    ),
    JobState.PROCESSING: frozenset(
        {JobState.SUCCEEDED, JobState.CANCELLING, JobState.FAILED, JobState.EXPIRED}
    ),
    # Canceling it again changes nothing, and is no error.
    JobState.CANCELLING: frozenset({JobState.CANCELLING, JobState.CANCELED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELED: frozenset(),
    JobState.EXPIRED: frozenset(),
}


@dataclass(frozen=True)
class ShardTransition:
    """A shard in one of the states `before` is in the state `after` the move."""

    before: frozenset[ShardState]
    after: ShardState


_UNHELD = frozenset({ShardState.PENDING})
_HELD = frozenset({ShardState.LEASED})

SHARD_TRANSITIONS: dict[ShardMove, ShardTransition] = {
    ShardMove.HINT: ShardTransition(_UNHELD, ShardState.PENDING),
    ShardMove.TAKE: ShardTransition(_UNHELD, ShardState.LEASED),
    ShardMove.RENEW: ShardTransition(_HELD, ShardState.LEASED),
    ShardMove.BEGIN_TRIAL: ShardTransition(_HELD, ShardState.LEASED),
    ShardMove.HAND_BACK: ShardTransition(_HELD, ShardState.PENDING),
    ShardMove.RECLAIM: ShardTransition(_HELD, ShardState.PENDING),
    ShardMove.FREE: ShardTransition(_HELD, ShardState.PENDING),
    ShardMove.COUNT: ShardTransition(_HELD, ShardState.LEASED),
    ShardMove.FINISH: ShardTransition(_HELD, ShardState.DONE),
    ShardMove.CANCEL_PENDING: ShardTransition(_UNHELD, ShardState.CANCELED),
    ShardMove.CANCEL_LEASED: ShardTransition(_HELD, ShardState.CANCELED),
    ShardMove.CANCEL_OPEN: ShardTransition(_UNHELD | _HELD, ShardState.CANCELED),
}

TERMINAL_EVENT: dict[JobState, EventType] = {
    JobState.SUCCEEDED: EventType.JOB_SUCCEEDED,
    JobState.FAILED: EventType.JOB_FAILED,
    JobState.CANCELED: EventType.JOB_CANCELED,
    JobState.EXPIRED: EventType.JOB_EXPIRED,
}


def states_before(target: JobState) -> frozenset[JobState]:
    """The states from which a job may become `target`."""
    return frozenset(state for state, ways in JOB_TRANSITIONS.items() if target in ways)


def advance(current: JobState, target: JobState) -> JobState:
    """The state a job moves to.

    Raises:
        IllegalTransition: the state table has no such move.
    """
    if target not in JOB_TRANSITIONS[current]:
        raise IllegalTransition(f"a {current} job cannot become {target}")
    return target
