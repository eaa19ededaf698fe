"""The shared folder as Prometheus reads it: each number is the sum over the files of a host.

The library's own collector makes objects of each sample of each process first: 100 ms for eight
processes, in which an API process answers nobody. Here numbers of one name are added as they are
read, and how a name is written is remembered from the last time.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.utils import floatToGoString

from app.metrics.dead_processes import steady

_HISTOGRAM = "histogram"
# More than there are series; what is forgotten is parsed again.
_REMEMBERED = 20_000


class _Series(NamedTuple):
    """`family` and `help` of the metric, `name` of the sample; `le` of a bucket, else empty."""

    family: str
    help: str
    name: str
    labels: tuple[tuple[str, str], ...]
    le: str


def shared_page(folder: Path) -> bytes:
    """What all processes counted that share `folder`, in Prometheus' text format."""
    with steady(folder):
        sums = _sums(folder.glob("*.db"))
    return "".join(line for kind in sorted(sums) for line in _page(kind, sums[kind])).encode()


def _sums(files: Iterable[Path]) -> dict[str, dict[str, float]]:
    """By type and by the library's name of a number."""
    sums: dict[str, dict[str, float]] = {}
    for file in files:
        of_kind = sums.setdefault(file.name.partition("_")[0], {})
        for key, value, _, _ in MmapedDict.read_all_values_from_file(file):
            of_kind[key] = of_kind.get(key, 0.0) + value
    return sums


def _page(kind: str, sums: dict[str, float]) -> Iterator[str]:
    families: dict[str, list[tuple[_Series, float]]] = defaultdict(list)
    for key, value in sums.items():
        series = _parsed(key)
        families[series.family].append((series, value))
    for family, samples in families.items():
        written = f"{family}_total" if kind == "counter" else family
        yield f"# HELP {written} {_escaped(samples[0][0].help)}\n# TYPE {written} {kind}\n"
        if kind == _HISTOGRAM:
            yield from _histogram(family, samples)
        else:
            yield from (_line(series.name, series.labels, value) for series, value in samples)


def _histogram(family: str, samples: list[tuple[_Series, float]]) -> Iterator[str]:
    """A file has how many fell into each bucket alone; a page, how many were at most so large."""
    buckets: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = defaultdict(list)
    for series, value in samples:
        if series.le:
            buckets[series.labels].append((float(series.le), value))
        else:
            yield _line(series.name, series.labels, value)
    for labels, counts in buckets.items():
        below = 0.0
        for bound, count in sorted(counts):
            below += count
            yield _line(f"{family}_bucket", (*labels, ("le", floatToGoString(bound))), below)
        yield _line(f"{family}_count", labels, below)


def _line(name: str, labels: tuple[tuple[str, str], ...], value: float) -> str:
    return f"{_written(name, labels)} {value!r}\n"


@lru_cache(_REMEMBERED)
def _written(name: str, labels: tuple[tuple[str, str], ...]) -> str:
    inside = ",".join(f'{label}="{_escaped(said, quoted=True)}"' for label, said in labels)
    return f"{name}{{{inside}}}" if inside else name


@lru_cache(_REMEMBERED)
def _parsed(key: str) -> _Series:
    family, name, labels, said = json.loads(key)
    bound = labels.pop("le", "")
    return _Series(family, said, name, tuple(sorted(labels.items())), bound)


def _escaped(text: str, *, quoted: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quoted else text
