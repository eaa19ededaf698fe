"""Who is killed, when and how: SIGKILL, to a whole process tree at once."""

from __future__ import annotations

import random
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from scripts.bench.killing.run import AHEAD, Run
from scripts.bench.trial.database import Database
from scripts.bench.trial.stack import TrialStack

TARGETS = ("child", "worker", "dispatcher", "beat", "api", "redis", "postgres")
_PROGRAM = {"child": "recognition", "worker": "recognition"}
# How long a kill waits for a live lease to fall upon.
_AIM_SECONDS = 15.0
_CATCH_SECONDS = 3.0
_POLL_S = 0.01
# So many of a hundred kills do not look whether a lease is live.
_BLIND_PERCENT = 15

_LIVE = """
SELECT lease_pid FROM shards WHERE state = 'leased' AND leased_until > clock_timestamp()
ORDER BY leased_until DESC
"""


@dataclass
class Killer:
    """Kills `count` times over a run, spread over the jobs that end."""

    run: Run
    database: Database
    rng: random.Random
    count: int
    kills: Counter[str] = field(default_factory=Counter)
    on_live_lease: int = 0
    last_kill: float = 0.0
    ended: float = 0.0

    def go(self) -> None:
        """Kill until it was `count` times; each victim is up again before the next falls."""
        for place, target in zip(self._places(), self._targets(), strict=True):
            self.run.hold_at = place + AHEAD
            while self.run.ended < place and not self.run.stop.is_set():
                time.sleep(_POLL_S)
            if self.run.stop.is_set():
                return
            self.kill(target, blind=self.rng.randrange(100) < _BLIND_PERCENT)
        self.run.hold_at = None

    def _places(self) -> list[int]:
        """How many jobs have ended before each kill: from the start to nine tenths of them."""
        jobs = len(self.run.workload.jobs)
        return sorted(int(jobs * 0.9 * self.rng.random()) for _ in range(self.count))

    def _targets(self) -> list[str]:
        rounds = -(-self.count // len(TARGETS))
        targets = [t for _ in range(rounds) for t in self.rng.sample(TARGETS, len(TARGETS))]
        return targets[: self.count]

    def kill(self, target: str, *, blind: bool) -> None:
        """Kill one, while a lease is live unless `blind`; return when it is up again."""
        program = _PROGRAM.get(target, target)
        self.run.stack.wait_ready(program)
        if target == "api":
            self._catch_a_request()
        holders = self._holders() if blind else self._aim()
        # Killed before it is counted: between the look and the kill nothing else is done.
        if target == "child":
            _kill_child(self.run.stack, holders)
        else:
            kill_tree(self.run.stack.pid(program))
        self.last_kill = time.monotonic()
        self.kills[target] += 1
        self.on_live_lease += bool(holders)
        self.run.stack.wait_ready(program)

    def _holders(self) -> list[int]:
        """Processes that hold a live lease; the lease of a dead one is not worth a kill."""
        pids = [row.lease_pid for row in self.database.rows(_LIVE)]
        return [pid for pid in pids if psutil.pid_exists(pid)]

    def _catch_a_request(self) -> None:
        """Let submitting go on, and wait until a request is under way."""
        self.run.hold_at = None
        deadline = time.monotonic() + _CATCH_SECONDS
        while not self.run.posting and time.monotonic() < deadline:
            time.sleep(_POLL_S / 10)

    def _aim(self) -> list[int]:
        deadline = time.monotonic() + _AIM_SECONDS
        while not (holders := self._holders()) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        return holders


def kill_tree(pid: int) -> None:
    """SIGKILL a process and all below it: the parent first, so that it replaces nobody."""
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                process.kill()


def _kill_child(stack: TrialStack, holders: list[int]) -> None:
    with suppress(psutil.NoSuchProcess):
        children = psutil.Process(stack.pid("recognition")).children()
        chosen = [child for child in children if child.pid in holders] or children
        for child in chosen[:1]:
            child.kill()
