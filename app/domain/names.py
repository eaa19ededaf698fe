"""Names that the API, the workers and the deployment files share."""

from __future__ import annotations

from enum import StrEnum


class QueueName(StrEnum):
    """Broker queues. Every one has a worker in deploy/, which a test checks."""

    RECOGNITION = "recognition"
    WEBHOOKS = "webhooks"
    ANALYTICS = "analytics"
    DEFAULT = "default"


class TaskName(StrEnum):
    """Celery tasks, as operators read them in Flower."""

    RECOGNISE = "recognise"
    DELIVER_WEBHOOK = "deliver-webhook"
    RECONCILE = "reconcile"
    RETENTION = "retention"
    ERASE = "erase"
    ENSURE_PARTITIONS = "ensure-partitions"
    JOB_STATISTICS = "job-statistics"
    USAGE_ROLLUP = "usage-rollup"
    AUDIT_CHAIN = "audit-chain"
    AUDIT_CHECKPOINT = "audit-checkpoint"
    SEND_MAIL = "send-mail"
    ANNOUNCE_KEY_ENDS = "announce-key-ends"


TASK_QUEUES: dict[TaskName, QueueName] = {
    TaskName.RECOGNISE: QueueName.RECOGNITION,
    TaskName.DELIVER_WEBHOOK: QueueName.WEBHOOKS,
    TaskName.RECONCILE: QueueName.DEFAULT,
    TaskName.RETENTION: QueueName.DEFAULT,
    TaskName.ERASE: QueueName.DEFAULT,
    TaskName.ENSURE_PARTITIONS: QueueName.DEFAULT,
    TaskName.JOB_STATISTICS: QueueName.ANALYTICS,
    TaskName.USAGE_ROLLUP: QueueName.ANALYTICS,
    TaskName.AUDIT_CHAIN: QueueName.DEFAULT,
    TaskName.AUDIT_CHECKPOINT: QueueName.DEFAULT,
    TaskName.SEND_MAIL: QueueName.DEFAULT,
    TaskName.ANNOUNCE_KEY_ENDS: QueueName.DEFAULT,
}


# Of PostgreSQL's advisory locks: whichever dispatcher holds it leads. Any number, the same for all.
LEADER_LOCK = 0x_FACE_0001


class Scope(StrEnum):
    """What an API key may do."""

    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    COLLECTIONS_READ = "collections:read"
    COLLECTIONS_WRITE = "collections:write"
    WEBHOOKS_WRITE = "webhooks:write"
    KEYS_WRITE = "keys:write"
    AUDIT_READ = "audit:read"
    USAGE_READ = "usage:read"
    ADMIN = "admin"


class NotifyChannel(StrEnum):
    """PostgreSQL LISTEN/NOTIFY channels."""

    DISPATCH = "facequeue_dispatch"
    JOB_FINISHED = "facequeue_job_finished"


def recognition_queue(model: str, default_model: str) -> str:
    """The queue of a model's shards: `recognition`, or `recognition.<name>` for a further model."""
    name = model.partition("@")[0]
    return QueueName.RECOGNITION.value + ("" if name == default_model else f".{name}")
