"""Interleaved rounds of every way to recognise the same pictures."""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.bench.pictures import Picture, load_pictures, mixed_pictures, save_pictures
from scripts.bench.recognising.jobs import Load, loaded_stack
from scripts.bench.recognising.processes import Answer, Rival, SubjectProcess, lay_out_weights
from scripts.bench.recognising.report import figures, versions
from workers.vision.results import Rotation

Say = Callable[[str], None]

_WARM = 8  # pictures
_SMALL_PIXELS = 500_000


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for; `rotations` are measured one after the other."""

    images: int
    shard: int
    engine: str
    device: str
    rotations: tuple[Rotation, ...]
    small: bool
    whole: bool
    deepface: bool
    core: int
    portraits: Path
    models_dir: Path

    @property
    def server_core(self) -> int:
        """Where servers and load run: another core than the worker's, if there is one."""
        others = os.sched_getaffinity(0) - {self.core}
        return min(others, default=self.core)

    def configuration(self, folder: Path, *, whole: bool, core: int | None = None) -> Answer:
        """What a measured process is told."""
        return {
            "folder": str(folder),
            "core": self.core if core is None else core,
            "engine": self.engine,
            "device": self.device,
            "models_dir": str(self.models_dir.resolve()),
            "whole": whole,
        }


class Bench:
    """The running processes, and what they are asked round by round."""

    def __init__(self, wanted: Wanted, folder: Path, stack: ExitStack, say: Say) -> None:
        self._wanted, self._folder, self._say = wanted, folder, say
        self._pictures = load_pictures(folder, 0, wanted.images)
        self._load: Load | None = None
        environment: dict[str, str] = {}
        if wanted.whole:
            environment, self._load = stack.enter_context(_stack(wanted, folder, say))
        say("Loading the models")
        self.bare = self._subject(stack, {}, whole=False)
        self._worker = self._subject(stack, environment, whole=True) if self._load else None
        self._rivals = self._start_rivals(stack) if wanted.deepface else {}

    def _subject(
        self, stack: ExitStack, environment: Mapping[str, str], *, whole: bool
    ) -> SubjectProcess:
        configuration = self._wanted.configuration(self._folder, whole=whole)
        return stack.enter_context(closing(SubjectProcess(configuration, environment)))

    def _start_rivals(self, stack: ExitStack) -> dict[str, Rival]:
        lay_out_weights(self._wanted.models_dir, self._folder)
        return {
            name: stack.enter_context(closing(Rival(self._folder, self._wanted.core, name)))
            for name in ("ONE", "DEFAULT")
        }

    def warm(self) -> None:
        """Let everything run once; enrols the gallery."""
        for do in ("bare", "stream"):
            self.bare.ask(do, first=0, count=_WARM, rotation="off")
        if self._load is not None and self._worker is not None:
            self._worker.ask("shard", job_id=self._load.enrol(), min_faces=self._limits(0, _WARM))

    def rounds(self, rotation: Rotation, *, rivals: bool) -> dict[str, list[Answer]]:
        """Measure every way on every part of the pictures, in turn forwards and backwards."""
        found: dict[str, list[Answer]] = defaultdict(list)
        for number, first in enumerate(range(0, self._wanted.images, self._wanted.shard)):
            count = min(self._wanted.shard, self._wanted.images - first)
            self._say(f"{rotation}: pictures {first} to {first + count}")
            ways = self._ways(first, count, rotation, rivals=rivals)
            for name in list(ways) if number % 2 == 0 else list(reversed(ways)):
                found[name].append(ways[name]())
        return found

    def _ways(
        self, first: int, count: int, rotation: Rotation, *, rivals: bool
    ) -> dict[str, Callable[[], Answer]]:
        part: dict[str, Any] = {"first": first, "count": count, "rotation": rotation}
        ways: dict[str, Callable[[], Answer]] = {
            "bare": lambda: self.bare.ask("bare", **part),
            "stream": lambda: self.bare.ask("stream", **part),
        }
        if self._worker is not None:
            ways["whole"] = lambda: self._whole(first, count, rotation)
        for name, rival in (self._rivals if rivals else {}).items():
            ways[name] = lambda rival=rival: rival.run(count)  # type: ignore[misc] # mypy cannot type a lambda's default
        return ways

    def _whole(self, first: int, count: int, rotation: Rotation) -> Answer:
        if self._load is None or self._worker is None:
            raise RuntimeError("no stack was started")
        job_id = self._load.identify(first, count, rotation)
        answer = self._worker.ask("shard", job_id=job_id, min_faces=self._limits(first, count))
        if answer["closed"] != count:
            raise RuntimeError(f"the task closed {answer['closed']} of {count} items")
        return answer

    def _limits(self, first: int, count: int) -> dict[int, int]:
        part = self._pictures[first : first + count]
        return {number: picture.min_face for number, picture in enumerate(part)}


@contextmanager
def drawn_pictures(wanted: Wanted, say: Say) -> Iterator[Path]:
    """A temporary folder with the pictures of the bench in it."""
    with tempfile.TemporaryDirectory(prefix="facequeue-bench-") as name:
        say(f"Drawing {wanted.images} pictures")
        save_pictures(_drawn(wanted), Path(name))
        yield Path(name)


def _drawn(wanted: Wanted) -> Iterator[Picture]:
    largest = _SMALL_PIXELS if wanted.small else 10**9
    return mixed_pictures(wanted.portraits, wanted.images, largest=largest)


@contextmanager
def _stack(wanted: Wanted, folder: Path, say: Say) -> Iterator[tuple[dict[str, str], Load]]:
    """Start the servers; they keep the affinity that this process has while they start."""
    os.sched_setaffinity(0, {wanted.server_core})
    settings = {
        "SHARD_SIZE": str(max(wanted.shard, _WARM)),
        "RECOGNISE_SECONDS": "3600",
        "FACE_ENGINE": wanted.engine,
        "LOG_LEVEL": "ERROR",
    }
    with loaded_stack(folder, wanted.images, settings, say) as running:
        yield running


def measure(wanted: Wanted, say: Say) -> dict[str, Any]:
    """Run every measurement, and return what is printed."""
    first, *others = wanted.rotations
    with drawn_pictures(wanted, say) as folder, ExitStack() as stack:
        bench = Bench(wanted, folder, stack, say)
        bench.warm()
        report = figures(bench.rounds(first, rivals=True), wanted.images)
        report |= {
            "rotation": first,
            "shard": wanted.shard,
            "images": wanted.images,
            "engine": bench.bare.about["engine"],
            "engine_reason": bench.bare.about["engine_reason"],
            "versions": versions(),
        }
        if others:
            report["rotations"] = {
                rotation: figures(bench.rounds(rotation, rivals=False), wanted.images)
                for rotation in others
            }
    return report
