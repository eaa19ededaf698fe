"""Crashes between a commit and what should follow it: the wake-up, and the publish."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from scripts.bench.killing.cut_file import VARIABLE
from scripts.bench.killing.handicaps import cut_file, with_cut_api, with_dying_dispatcher
from scripts.bench.killing.report import say
from scripts.bench.killing.workload import upload
from scripts.bench.trial import images
from scripts.bench.trial.client import ApiClient
from scripts.bench.trial.database import Database
from scripts.bench.trial.stack import TrialStack, trial_stack
from scripts.stack.environment import BUCKET
from scripts.stack.programs import Program
from scripts.stack.state import State

_PROGRAMS = ("api", "recognition", "dispatcher")
_KEY = "gap/face.jpg"
# Jobs whose hints one crash of the dispatcher loses together.
_ROUND = 20
_PATIENCE_S = 120.0
_DISPATCHERS = "-dispatcher"
_LOOK_S = 0.05

# A worker that is not there makes the dispatcher's window wide enough for a whole round.
_WIDE_WINDOW = """
INSERT INTO workers (instance, slots, models, seen_at)
SELECT 'window of the trial', %s, models, now() + interval '1 day' FROM workers LIMIT 1
"""
_STARTED = """
SELECT extract(epoch FROM started_at)::float AS started,
  extract(epoch FROM created_at)::float AS created, finished_at
FROM jobs WHERE id = ANY (%s::uuid[])
"""


def run_gap(times: int) -> dict[str, object]:
    """Lose `times` wake-ups and `times` publishes, each to a crash; how late the jobs start."""
    with trial_stack(_with_faults, {"GUNICORN_WORKERS": "3"}, report=say) as stack:
        stack.start(*_PROGRAMS)
        upload(stack, {_KEY: images.original("collins").content})
        trial = _Gap(stack)
        wake_ups = _summary([trial.lose_wake_up() for _ in range(times)])
        say(f"wake-ups: {wake_ups}")
        trial.widen_window()
        rounds = [trial.lose_publishes(_ROUND) for _ in range(-(-times // _ROUND))]
        publishes = _summary([delay for each in rounds for delay in each])
        lost = wake_ups["lost"] + publishes["lost"]
        return {"lost": lost, "wake_ups": wake_ups, "publishes": publishes}


def _with_faults(state: State, program: Program) -> Program:
    program = with_dying_dispatcher(state, with_cut_api(state, program))
    if program.name == "dispatcher":
        # The two are cut by files of their own.
        own = {VARIABLE: program.environment[VARIABLE] + _DISPATCHERS}
        return replace(program, environment=program.environment | own)
    return program


class _Gap:
    def __init__(self, stack: TrialStack) -> None:
        self._stack = stack
        self._client = ApiClient(stack.url, stack.make_tenant("gap"))
        self._database = Database(stack.settings["DATABASE_OWNER_URL"])
        self._api_cut = cut_file(stack.state)
        self._dispatcher_cut = self._api_cut.with_name(self._api_cut.name + _DISPATCHERS)
        self._number = 0
        # The worker has beaten and works.
        self._starts([self._submit()])

    def lose_wake_up(self) -> float | None:
        """Submit a job whose API process dies before it tells anybody; seconds until it starts."""
        self._api_cut.touch()
        job_id = self._submit()
        if self._api_cut.exists():
            raise RuntimeError("the API did not die")
        (row,) = self._starts([job_id])
        return row.started - row.created if row.started else None

    def lose_publishes(self, jobs: int) -> list[float | None]:
        """One crash after a commit of so many hints; seconds from it until each job starts."""
        self._stack.stop("dispatcher")
        ids = [self._submit() for _ in range(jobs)]
        self._dispatcher_cut.write_text("x")
        self._stack.start("dispatcher")
        while self._dispatcher_cut.read_text():
            time.sleep(_LOOK_S)
        died = time.time()
        return [row.started - died if row.started else None for row in self._starts(ids)]

    def widen_window(self) -> None:
        """Let the dispatcher publish a whole round at once."""
        self._database.rows(_WIDE_WINDOW, _ROUND)

    def _submit(self) -> str:
        self._number += 1
        items = [{"custom_id": "a", "image": f"s3://{BUCKET}/{_KEY}"}]
        body = {"operation": "detect", "items": items, "webhook_endpoint_id": None}
        return str(self._client.post("/jobs", body, f"gap-{self._number}")["id"])

    def _starts(self, job_ids: list[str]) -> list[Any]:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            rows = self._database.rows(_STARTED, job_ids)
            if all(row.finished_at for row in rows) or time.monotonic() > deadline:
                return rows
            time.sleep(_LOOK_S)


def _summary(delays: Sequence[float | None]) -> dict[str, float]:
    started = [delay for delay in delays if delay is not None]
    cuts = statistics.quantiles([*started, max(started)], n=100, method="inclusive")
    return {
        "jobs": len(delays),
        "lost": len(delays) - len(started),
        "start_p50_s": round(cuts[49], 2),
        "start_p99_s": round(cuts[98], 2),
        "start_max_s": round(max(started), 2),
    }
