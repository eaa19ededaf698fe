"""The dispatcher without its sweeping, or dying between a commit and the publish. For trials only.

`python -m scripts.bench.killing.handicapped_dispatcher no-sweeper`: looks only when it is woken and
takes back no lease; with HINT_SECONDS of a day nothing is published twice either.

`… dies`: kills itself before it publishes the first job that is newer than the one whose id stands
in the file that FACEQUEUE_CUT_FILE names, and empties the file.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from app.adapters.task_queue import TaskQueue
from app.database.listening import Listener
from app.domain.lease import ShardRef
from app.domain.names import TaskName
from scripts.bench.killing.cut_file import VARIABLE
from workers import dispatcher


class UnsweptDispatcher(dispatcher.Dispatcher):
    """Does only what a wake-up asks for."""

    def _wait(self, listener: Listener) -> None:
        while not self._stopping:
            if listener.wait(1.0):
                listener.heard()
                return


class MortalQueue(TaskQueue):
    """Takes its process down with a message that was about to be published."""

    def send(self, task: TaskName, *args: str | int, queue: str | None = None) -> None:
        """Publish, or die."""
        cut = Path(os.environ[VARIABLE])
        older = cut.read_text() if cut.exists() else ""
        if task is TaskName.RECOGNISE and older and str(args[0]) > older:
            cut.write_text("")
            os.kill(os.getpid(), signal.SIGKILL)
        super().send(task, *args, queue=queue)


def _reclaim_nothing() -> list[ShardRef]:
    return []


_FAULTS: dict[str, dict[str, object]] = {
    "no-sweeper": {
        "Dispatcher": UnsweptDispatcher,
        "reclaim_expired_leases": _reclaim_nothing,
    },
    "dies": {"TaskQueue": MortalQueue},
}

if __name__ == "__main__":
    vars(dispatcher).update(_FAULTS[sys.argv[1]])
    sys.exit(dispatcher.main())
