"""The dispatcher: one small process that publishes hints for whatever is due in Postgres.

Run as `python -m workers.dispatcher`. A second one stands by until the first is gone.
"""

from __future__ import annotations

import signal
import sys
import time
from types import FrameType

import psycopg2
import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app import create_app_or_exit
from app.adapters.task_queue import TaskQueue, make_celery
from app.config import Settings
from app.database.listening import Listener, listening
from app.domain.errors import BrokerUnavailable
from app.domain.fairness import FairShare
from app.domain.names import LEADER_LOCK, NotifyChannel, TaskName, recognition_queue
from app.metrics.sharing import share_metrics
from app.services.leases.claim_hints import claim_shard_hints, reclaim_expired_leases
from app.services.webhooks.delivery_hints import claim_delivery_hints
from workers.pulse import show_pulse

_log = structlog.get_logger(__name__)

# Looked at this often when nobody wakes it.
_LOOK_S = 1.0
# Wake-ups closer together than this are answered by one look.
_GATHER_S = 0.01
_RETRY_S = 1.0
# A leader that says nothing for so long leads no more: it, or its host, stands still or is cut off.
_SILENCE_S = 10


class Dispatcher:
    """Wakes on NOTIFY or each second; as the leader, reclaims, claims and publishes."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._settings: Settings = app.config["SETTINGS"]
        self._queue = TaskQueue(make_celery(self._settings))
        self._share = FairShare(quantum=self._settings.shard_size)
        self._stopping = False

    def stop(self, _signal: int, _frame: FrameType | None) -> None:
        """Finish the look in hand, then leave."""
        self._stopping = True

    def run(self) -> None:
        """Look until told to stop; a database that goes away is waited for."""
        while not self._stopping:
            try:
                self._lead()
            except (psycopg2.Error, SQLAlchemyError) as error:
                _log.warning("database_unavailable", error=str(error).strip())
                show_pulse(self._settings.pulse_file)
                time.sleep(_RETRY_S)

    def _lead(self) -> None:
        url, silence = self._settings.database_queue_url, f"-c idle_session_timeout={_SILENCE_S}s"
        with listening(url, NotifyChannel.DISPATCH, options=silence) as listener:
            leading = False
            while not self._stopping:
                if not leading and (leading := self._take_lead(listener)):
                    _log.info("leading")
                if leading:
                    with self._app.app_context():
                        self.look()
                self._wait(listener)

    def _take_lead(self, listener: Listener) -> bool:
        ((taken,),) = listener.ask("SELECT pg_try_advisory_lock(%s)", LEADER_LOCK)
        return bool(taken)

    def _wait(self, listener: Listener) -> None:
        show_pulse(self._settings.pulse_file)
        if listener.wait(_LOOK_S):
            time.sleep(_GATHER_S)
        # Says that this process lives, and sees a lost connection, which no NOTIFY ever comes by.
        listener.ask("SELECT 1")
        listener.heard()

    def look(self) -> None:
        """Reclaim leases that ran out, then publish what is due; a lost publish is a lost hint."""
        for shard in reclaim_expired_leases():
            _log.warning("lease_expired", shard=str(shard))
        life = self._settings.hint_seconds
        try:
            for model, shard in claim_shard_hints(self._share, life):
                self._queue.send(
                    TaskName.RECOGNISE,
                    str(shard.job_id),
                    shard.shard_no,
                    queue=recognition_queue(model, self._settings.face_recognition_model),
                )
            if self._settings.enable_webhooks:
                for delivery_id, tenant_id in claim_delivery_hints(life):
                    self._queue.send(TaskName.DELIVER_WEBHOOK, str(delivery_id), str(tenant_id))
        except BrokerUnavailable as error:
            _log.warning("hint_not_published", error=str(error))


def main() -> int:
    """Run until SIGTERM or SIGINT."""
    share_metrics()
    dispatcher = Dispatcher(create_app_or_exit())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, dispatcher.stop)
    dispatcher.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
