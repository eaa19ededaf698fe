"""The API, which can be made to die between a commit and the wake-up after it. For trials only.

Run by gunicorn in place of `wsgi`. When the file that FACEQUEUE_CUT_FILE names is there, the
process removes it and kills itself at that point of the next submission: committed, nobody told.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from app.database.notify import wake_dispatcher
from app.services.jobs import submit_job
from scripts.bench.killing.cut_file import VARIABLE
from wsgi import app

__all__ = ["app"]


def _die_or_wake() -> None:
    cut = Path(os.environ[VARIABLE])
    if cut.exists():
        cut.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    wake_dispatcher()


vars(submit_job).update(wake_dispatcher=_die_or_wake)
