"""The broker: tasks are sent by name, and a lost one is no harm (Postgres holds the truth)."""

from __future__ import annotations

from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError

from app.adapters.broker import Broker, broker_of
from app.domain.errors import BrokerUnavailable
from app.domain.names import TASK_QUEUES, QueueName, TaskName
from app.settings.broker import BrokerSettings

# Quorum queues survive a node; they know no global prefetch, which Celery detects.
_RABBITMQ_RULES: dict[str, Any] = {
    "task_default_queue_type": "quorum",
    "task_create_missing_queue_type": "quorum",
    "worker_detect_quorum_queues": True,
}


class _Celery(Celery):  # type: ignore[misc] # Celery has no types
    """Connects to the broker of the settings alone.

    Celery itself prefers the variable CELERY_BROKER_URL to what it is configured with. It is a
    setting of ours, in a form of ours, and may also stand in a file.
    """

    def __init__(self, broker: Broker) -> None:
        super().__init__("facequeue", broker=broker.url)
        self._broker_url = broker.url

    def connection_for_read(self, url: str | None = None, **options: Any) -> Any:
        return super().connection_for_read(url or self._broker_url, **options)

    def connection_for_write(self, url: str | None = None, **options: Any) -> Any:
        return super().connection_for_write(url or self._broker_url, **options)

    def connection(self, hostname: str | None = None, **options: Any) -> Any:
        return super().connection(hostname or self._broker_url, **options)

    broker_connection = connection


def make_celery(settings: BrokerSettings) -> Celery:
    """A Celery application with FaceQueue's rules; workers add their tasks to it."""
    broker = broker_of(settings)
    celery = _Celery(broker)
    celery.conf.update(
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        task_serializer="json",
        accept_content=["json"],
        task_soft_time_limit=120,
        task_time_limit=180,
        worker_max_tasks_per_child=1000,
        worker_soft_shutdown_timeout=30.0,
        worker_send_task_events=True,
        task_send_sent_event=True,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options=dict(broker.transport_options),
        broker_use_ssl=dict(broker.ssl) if broker.ssl else None,
        **({} if broker.is_redis else _RABBITMQ_RULES),
        task_default_queue=QueueName.DEFAULT.value,
        task_create_missing_queues=True,
        task_routes={task.value: {"queue": queue.value} for task, queue in TASK_QUEUES.items()},
        timezone="UTC",
    )
    return celery


class TaskQueue:
    """Publishes hints. Whoever sends one must be able to lose it."""

    def __init__(self, celery: Celery) -> None:
        self._celery = celery

    def send(self, task: TaskName, *args: str | int, queue: str | None = None) -> None:
        """Publish one task to `queue`, or to the task's own.

        Raises:
            BrokerUnavailable: the broker did not take it within two seconds.
        """
        try:
            self._celery.send_task(
                task.value,
                args=args,
                queue=queue,
                retry=False,
                argsrepr=" ".join(str(arg) for arg in args),
            )
        except (OperationalError, OSError) as error:
            raise BrokerUnavailable(f"{task} was not taken by the broker: {error}") from error
