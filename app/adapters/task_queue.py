"""The broker: tasks are sent by name, and a lost one is no harm (Postgres holds the truth)."""

from __future__ import annotations

from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError

from app.config import Settings
from app.domain.errors import BrokerUnavailable
from app.domain.names import TASK_QUEUES, QueueName, TaskName

# A reserved message comes back after this; recovery does not wait for it: leases expire sooner.
VISIBILITY_TIMEOUT_S = 600


def make_celery(settings: Settings) -> Celery:
    """A Celery application with FaceQueue's rules; workers add their tasks to it."""
    celery = Celery("facequeue", broker=settings.broker_url)
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
        **_broker_options(settings.broker_url),
        task_default_queue=QueueName.DEFAULT.value,
        task_create_missing_queues=True,
        task_routes={task.value: {"queue": queue.value} for task, queue in TASK_QUEUES.items()},
        timezone="UTC",
    )
    return celery


def _broker_options(broker_url: str) -> dict[str, Any]:
    if broker_url.startswith(("redis://", "rediss://")):
        return {
            "broker_transport_options": {
                "visibility_timeout": VISIBILITY_TIMEOUT_S,
                "socket_timeout": 5,
                "socket_connect_timeout": 2,
                "health_check_interval": 10,
            }
        }
    # RabbitMQ: quorum queues survive a node; they know no global prefetch, which Celery detects.
    return {
        "task_default_queue_type": "quorum",
        "task_create_missing_queue_type": "quorum",
        "worker_detect_quorum_queues": True,
        "broker_transport_options": {"confirm_publish": True},
    }


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
