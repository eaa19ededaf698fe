"""Where a process keeps its numbers: alone, or in the folder that all processes of a host share.

The library shares as soon as PROMETHEUS_MULTIPROC_DIR is set, which a short command has as well: a
thousand `flask queue status` would leave thousands of files, all read at each scrape. So here a
process shares only when it says so, which those that stay do at their start.
"""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import values

from app.metrics.dead_processes import fold_dead_processes

# Until `share_metrics`; also for Flower, which has a page of its own for its metrics.
values.ValueClass = values.MutexValue  # looked up when a value is made


def shared_folder() -> Path | None:
    """The folder that PROMETHEUS_MULTIPROC_DIR names."""
    named = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(named) if named else None


def share_metrics() -> None:
    """Let this process and its later children share their numbers, where there is a folder for it.

    To be called before anything is counted: what was is not shared.
    """
    folder = shared_folder()
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    fold_dead_processes(folder)
    values.ValueClass = values.MultiProcessValue()


def fold_shared() -> None:
    """Add up what processes of this host left that have ended, where they share a folder."""
    folder = shared_folder()
    if folder is not None and folder.is_dir():
        fold_dead_processes(folder)
