"""Submissions at a steady rate, with the chainer at work and without, by turns."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.bench.submitting.load import LoadGenerator
from scripts.bench.trial.stack import TrialStack
from scripts.stack.environment import process_environment
from scripts.stack.state import ROOT

_ITEMS = 1
_WARM_SECONDS = 2.0


class Submissions:
    """Loads one stack's API.

    Args:
        stack: with its API running.
        rate: submissions a second.
        seconds: length of each turn.
        every_s: the chainer's pause; in production it is a minute.
    """

    def __init__(self, stack: TrialStack, rate: float, seconds: float, every_s: float) -> None:
        self._stack = stack
        self._rate = rate
        self._seconds = seconds
        self._every_s = every_s
        self._generator = LoadGenerator(stack.url, stack.make_tenant("load").key)

    def compare(self, rounds: int, clients: int) -> dict[str, object]:
        """Latencies of both kinds, and their ratios within each round."""
        self._generator.run(_ITEMS, clients, _WARM_SECONDS)
        turns: dict[str, list[dict[str, float]]] = {"without": [], "with": []}
        for number in range(rounds):
            # Whichever is second finds a fuller table: they take turns at that too.
            for kind in sorted(turns, reverse=bool(number % 2)):
                turns[kind].append(self._turn(kind, clients))
        return {
            "rate_per_s": self._rate,
            "chainer_every_s": self._every_s,
            **{kind: _medians(found) for kind, found in turns.items()},
            **{f"{name}_ratio": _ratio(turns, name) for name in ("p50_ms", "p99_ms", "jobs_per_s")},
            **{f"most_{name}": value for name, value in self._most(rounds, clients).items()},
        }

    def _turn(self, kind: str, clients: int) -> dict[str, float]:
        if kind == "without":
            return self._paced(clients)
        with self._chainer():
            return self._paced(clients)

    def _paced(self, clients: int) -> dict[str, float]:
        return self._generator.run_paced(_ITEMS, clients, self._rate, self._seconds).report()

    def _most(self, rounds: int, clients: int) -> dict[str, float]:
        """As many submissions as the API takes, with and without."""
        rates: dict[str, list[float]] = {"without": [], "with": []}
        for _ in range(rounds):
            load = self._generator.run(_ITEMS, clients, self._seconds)
            rates["without"].append(load.report()["jobs_per_s"])
            with self._chainer():
                load = self._generator.run(_ITEMS, clients, self._seconds)
            rates["with"].append(load.report()["jobs_per_s"])
        without, with_ = (statistics.median(rates[kind]) for kind in ("without", "with"))
        return {
            "jobs_per_s_without": without,
            "jobs_per_s_with": with_,
            "jobs_per_s_ratio": round(with_ / without, 3),
        }

    @contextmanager
    def _chainer(self) -> Iterator[None]:
        command = [sys.executable, "-m", "scripts.bench.auditing.chainer", str(self._every_s)]
        environment = process_environment(self._stack.state)
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            if process.stdout is None or not process.stdout.readline():
                raise RuntimeError("the chainer did not start")
            try:
                yield
            finally:
                process.kill()


def _medians(turns: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}


def _ratio(turns: dict[str, list[dict[str, float]]], name: str) -> float:
    pairs = zip(turns["with"], turns["without"], strict=True)
    return round(statistics.median(a[name] / b[name] for a, b in pairs), 3)
