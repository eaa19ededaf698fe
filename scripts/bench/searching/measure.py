"""How fast one strategy answers, and whether it answers what comparing everything answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np

from app.database.transactions import tenant_transaction
from app.domain.matching import Neighbour
from app.models.collection import Collection
from app.services.gallery.search import nearest_subjects
from app.services.gallery.strategies.exact_sql import ExactSql
from app.services.gallery.strategies.strategy import Strategy
from scripts.bench.searching.made_gallery import Floats, another_picture, drawn

_WANTED = 10
_MEGABYTE = 1 << 20


def measure(
    strategy: Strategy,
    collections: Sequence[Collection],
    faces: Floats,
    *,
    batch: int,
    rounds: int,
    singles: int,
    compared: int,
) -> dict[str, Any]:
    """Time single probes and batches, half of them of people who are there, half of strangers.

    `faces` are those of the last collection. Answers to `compared` probes of each kind are held
    against those of SQL.
    """
    draw = np.random.default_rng(7)
    mated = another_picture(faces[draw.integers(len(faces), size=max(batch, compared))], draw)
    strangers = drawn(max(batch, compared), faces.shape[1], draw)
    resident = _memory("VmRSS")
    first_s = _seconds(lambda: _search(strategy, collections[-1], mated[:1]))
    alone = [
        _seconds(lambda c=collection, p=probe: _search(strategy, c, p[None]))  # type: ignore[misc]
        for collection, probe in islice(
            zip(cycle(reversed(collections)), cycle([*mated, *strangers]), strict=False), singles
        )
    ]
    mixed = np.concatenate([mated[: batch // 2], strangers[: batch - batch // 2]])
    together = [_seconds(lambda: _search(strategy, collections[-1], mixed)) for _ in range(rounds)]
    return {
        "p50_ms": round(1000 * float(np.percentile(alone, 50)), 2),
        "p95_ms": round(1000 * float(np.percentile(alone, 95)), 2),
        "ms_a_probe": round(1000 * float(np.median(together)) / batch, 2),
        "recall_at_1_mated": _recall(strategy, collections[-1], mated[:compared], 1),
        "recall_at_10_stranger": _recall(strategy, collections[-1], strangers[:compared], 10),
        "load_s": round(max(0.0, first_s - float(np.median(alone))), 2),
        "memory_mb": round((_memory("VmHWM") - resident) / _MEGABYTE, 1),
    }


def _search(strategy: Strategy, collection: Collection, probes: Floats) -> list[list[Neighbour]]:
    asked = [tuple(map(float, probe)) for probe in probes]
    with tenant_transaction(collection.tenant_id) as session:
        return nearest_subjects(session, collection, asked, _WANTED, strategy).nearest


def _recall(strategy: Strategy, collection: Collection, probes: Floats, places: int) -> float:
    """The share of what SQL answers in the first places that the strategy answers there too."""
    right = _search(ExactSql(), collection, probes)
    found = _search(strategy, collection, probes)
    hits = [
        len({n.face_id for n in true[:places]} & {n.face_id for n in mine[:places]})
        for true, mine in zip(right, found, strict=True)
    ]
    return round(sum(hits) / sum(len(true[:places]) for true in right), 4)


def _seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def _memory(name: str) -> int:
    """Bytes of this process by a name of /proc/self/status."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise LookupError(name)
