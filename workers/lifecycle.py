"""What happens as a worker starts, beats and stops: identity, heartbeats, connections, leases."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import structlog
from celery import signals
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app.database.base import db
from app.domain.errors import ModelError
from app.domain.lease import Holder
from app.domain.names import QueueName
from app.metrics.recognition import begin_recognition
from app.metrics.sharing import fold_shared, share_metrics
from app.metrics.webhooks import begin_webhooks
from app.services.gallery.follow_vectors import child_began as copies_child_began
from app.services.gallery.follow_vectors import follow, keep_copies, leave
from app.services.leases.heartbeat import beat, retire
from app.services.leases.lease_shards import free_dead_predecessors
from workers.pulse import show_pulse
from workers.recognition import readiness, shutdown
from workers.recognition.gpu import take_gpu
from workers.recognition.identity import become_instance, current_holder
from workers.recognition.loaded_pipeline import (
    configured_model,
    loaded_pipeline,
    require_usable_models,
)

_log = structlog.get_logger(__name__)

_RECOGNITION = QueueName.RECOGNITION.value
_OWNER_ADVICE = (
    "a worker that calls the addresses of webhooks must not be able to act as the database's "
    "owner: start it without DATABASE_OWNER_URL, and serve the queues of chores by another"
)
_LOOK_S = 0.05
_RETIRE_S = 2.0


def connect(flask_app: Flask) -> None:
    """Attach to Celery's signals; recognition workers get a heartbeat and warm children."""
    worker = _Worker(flask_app)
    signals.setup_logging.connect(worker.on_logging, weak=False)
    signals.celeryd_init.connect(worker.on_init, weak=False)
    signals.worker_ready.connect(worker.on_ready, weak=False)
    signals.heartbeat_sent.connect(worker.on_heartbeat, weak=False)
    signals.worker_shutting_down.connect(worker.on_shutting_down, weak=False)
    signals.worker_process_init.connect(worker.on_child, weak=False)


class _Worker:
    """The parent process of a worker, and after the fork each of its children."""

    def __init__(self, flask_app: Flask) -> None:
        self._app = flask_app
        self._instance = ""
        self._up = False
        self._recognises = False

    def on_logging(self, **_: Any) -> None:
        """Celery leaves logging alone when somebody else has set it up: `create_app` has."""

    def on_init(self, sender: str, options: dict[str, Any], **_: Any) -> None:
        """Before anything forks: who this worker is, whether it recognises, and whether it can."""
        queues = _queue_names(options.get("queues"))
        self._recognises = any(name.split(".")[0] == _RECOGNITION for name in queues)
        if QueueName.WEBHOOKS in queues and self._app.config["SETTINGS"].database_owner_url:
            _log.warning("owner_url_needless", queues=queues, advice=_OWNER_ADVICE)
        share_metrics()
        if self._recognises:
            with self._app.app_context():
                _refuse_without_models()
            begin_recognition()
        else:
            begin_webhooks()
        self._instance = become_instance(str(sender))
        if self._recognises:
            keep_copies(self._app.config["SETTINGS"].search_cache_mb, self._instance)
        shutdown.reset()
        readiness.reset()

    def on_ready(self, **_: Any) -> None:
        """Offer slots as soon as a child's models have passed their test, and not before."""
        self._up = True
        if self._recognises:
            threading.Thread(target=self._beat_once_ready, name="first-beat", daemon=True).start()

    def on_heartbeat(self, **_: Any) -> None:
        if self._up and not shutdown.requested():
            self._beat()

    def on_shutting_down(self, **_: Any) -> None:
        """Children see the flag at their next batch boundary; no more work is meant for them."""
        shutdown.request()
        if self._recognises:
            # In a thread: the signal may have come while this one holds a lock of the pool.
            retiring = threading.Thread(target=self._retire, name="retire", daemon=True)
            retiring.start()
            retiring.join(_RETIRE_S)

    def _retire(self) -> None:
        with self._app.app_context():
            _let_go(lambda: retire(self._instance))
            _let_go(leave)

    def on_child(self, **_: Any) -> None:
        """In a new child: connections of its own, dead siblings' leases freed, models loading."""
        fold_shared()  # a sibling that died may be why this child was made
        shutdown.child_began()
        readiness.child_began()
        copies_child_began()
        if self._recognises and self._app.config["SETTINGS"].face_device != "cpu":
            _log.info("gpu_taken", gpu=take_gpu())
        with self._app.app_context():
            for engine in db.engines.values():
                engine.dispose(close=False)
            if self._recognises:
                _let_go(lambda: _free_dead(current_holder()))
        if self._recognises:
            threading.Thread(target=self._warm, name="warm-start", daemon=True).start()

    def _warm(self) -> None:
        with self._app.app_context():
            try:
                loaded_pipeline()
            except ModelError as error:
                _log.error("model_refused", code=error.code, detail=str(error))
                return
        readiness.child_ready()

    def _beat_once_ready(self) -> None:
        while not (readiness.ready_children() or shutdown.requested()):
            time.sleep(_LOOK_S)
        if not shutdown.requested():
            self._beat()

    def _beat(self) -> None:
        slots = readiness.ready_children()
        if slots or not self._recognises:
            show_pulse(self._app.config["SETTINGS"].pulse_file)
        if self._recognises and slots:
            with self._app.app_context():
                _let_go(lambda: beat(self._instance, slots, [configured_model()]))
                _let_go(follow)


def _queue_names(option: str | list[str] | None) -> list[str]:
    return option.split(",") if isinstance(option, str) else list(option or ())


def _refuse_without_models() -> None:
    """End this process, with the command to run, when what it is configured to run is not there.

    Celery logs what a signal's receiver raises and goes on, except for SystemExit.
    """
    try:
        require_usable_models()
    except ModelError as error:
        raise SystemExit(f"{error.code}: {error}") from error


def _free_dead(holder: Holder) -> None:
    for shard in free_dead_predecessors(holder):
        _log.warning("dead_child_lease_freed", shard=str(shard), pid=os.getpid())


def _let_go(action: Any) -> None:
    """Run a step that the next heartbeat or the lease's expiry makes up for when it fails."""
    try:
        action()
    except SQLAlchemyError as error:
        _log.warning("worker_bookkeeping_failed", error=str(error))
