"""How the rate grows with children: one process a core, each with its own part of the pictures."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from scripts.bench.recognising.measure import Say, Wanted, drawn_pictures
from scripts.bench.recognising.processes import SubjectProcess


class NotEnoughCores(Exception):
    """More children than cores would measure how they get in each other's way."""


def measure_scaling(wanted: Wanted, children: int, say: Say) -> dict[str, Any]:
    """Compare `children` pipelines at once, without servers, with each of them alone.

    Raises:
        NotEnoughCores: there are fewer cores than children.
    """
    cores = sorted(os.sched_getaffinity(0))[:children]
    if len(cores) < children:
        raise NotEnoughCores(f"{children} children need {children} cores; there are {len(cores)}")
    with drawn_pictures(wanted, say) as folder, ExitStack() as stack:
        subjects = [_subject(wanted, folder, core, stack) for core in cores]
        ask: dict[str, Any] = {"first": 0, "count": wanted.images, "rotation": wanted.rotations[0]}
        for subject in subjects:
            subject.ask("stream", **(ask | {"count": min(8, wanted.images)}))
        say("Each child alone")
        alone = [wanted.images / subject.ask("stream", **ask)["wall"] for subject in subjects]
        say("All children at once")
        for subject in subjects:
            subject.begin("stream", **ask)
        together = [wanted.images / subject.result()["wall"] for subject in subjects]
    one = sum(alone) / len(alone)
    return {
        "children": children,
        "one_child_ips": round(one, 2),
        "children_ips": round(sum(together), 2),
        "scaling": round(sum(together) / (one * children), 3),
        "engine": subjects[0].about["engine"],
    }


def _subject(wanted: Wanted, folder: Path, core: int, stack: ExitStack) -> SubjectProcess:
    configuration = wanted.configuration(folder, whole=False, core=core)
    return stack.enter_context(closing(SubjectProcess(configuration, {})))
