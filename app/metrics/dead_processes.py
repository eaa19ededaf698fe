"""What processes leave behind in the shared folder when they end: their gauges go, their sums stay.

Each process has a file for each kind of metric, named by its pid. Were those of dead ones deleted,
counters would fall, which Prometheus takes for a restart and counts everything again. Were they
kept, each scrape would read more of them. So they are added up in one file a kind.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

# Cannot be a pid.
_OF_THE_DEAD = "dead"
_LOCK = "folding.lock"
_GAUGES = "gauge_"
_EVERY_S = 60.0


def fold_dead_processes(folder: Path) -> int:
    """Add the counts of processes that have ended to one file; returns how many files went.

    One process at a time does it, and nobody reads the folder meanwhile (`steady`).
    """
    with _locked(folder, fcntl.LOCK_EX) as lock:
        left = [file for file in folder.glob("*.db") if _is_left_behind(file)]
        for kind in sorted({_kind(file) for file in left}):
            files = [file for file in left if _kind(file) == kind]
            if not kind.startswith(_GAUGES):
                _add_up(folder / f"{kind}_{_OF_THE_DEAD}.db", files)
            for file in files:
                file.unlink(missing_ok=True)
        os.utime(lock)
    return len(left)


def fold_now_and_then(folder: Path) -> None:
    """Fold unless somebody did within a minute: each host's own chore."""
    lock = folder / _LOCK
    if not lock.exists() or time.time() - lock.stat().st_mtime > _EVERY_S:
        fold_dead_processes(folder)


@contextmanager
def steady(folder: Path) -> Iterator[None]:
    """While nobody folds: a reader finds each count once."""
    with _locked(folder, fcntl.LOCK_SH):
        yield


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[int]:
    with (folder / _LOCK).open("a") as lock:
        fcntl.flock(lock, how)
        yield lock.fileno()


def _kind(file: Path) -> str:
    """Such as `counter`, `histogram` or `gauge_livesum`."""
    return file.stem.rpartition("_")[0]


def _is_left_behind(file: Path) -> bool:
    """Whether the process that its name tells has ended, even if another has its pid by now.

    Whoever counts into a file holds it open. Where that cannot be seen, it is believed to.
    """
    pid = file.stem.rpartition("_")[2]
    if not pid.isdigit():
        return False
    try:
        return not any(_is_same(handle, file) for handle in Path(f"/proc/{pid}/fd").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return Path("/proc/self/fd").exists()
    except PermissionError:
        return False


def _is_same(handle: Path, file: Path) -> bool:
    try:
        return handle.samefile(file)
    except OSError:  # closed meanwhile
        return False


def _add_up(total: Path, files: list[Path]) -> None:
    """Write the sums beside their file, then in its place.

    A process that is killed between that and the end of `files` leaves them to be added again: too
    much by what one process counted, where the other order would lose it.
    """
    sums: dict[str, float] = {}
    for file in [total, *files]:
        if file.exists():
            for key, value, _, _ in MmapedDict.read_all_values_from_file(file):
                sums[key] = sums.get(key, 0.0) + value
    new = total.with_suffix(".new")
    new.unlink(missing_ok=True)
    written = MmapedDict(new)
    for key, value in sums.items():
        written.write_value(key, value, 0.0)
    written.close()
    new.replace(total)
