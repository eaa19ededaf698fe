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
# Lost hints fill the window until they expire: more than crashes can lose in that time.
_WINDOW = 50
_PATIENCE_S = 120.0
_TELL_EVERY = 20
_DISPATCHERS = "-dispatcher"
_LOOK_S = 0.05

# A worker that is not there makes the dispatcher's window wide enough for them.
_WIDE_WINDOW = """
INSERT INTO workers (instance, slots, models, seen_at)
SELECT 'window of the trial', %s, models, now() + interval '1 day' FROM workers LIMIT 1
"""
_STARTED = """
SELECT id, extract(epoch FROM started_at)::float AS started,
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
        publishes = _summary(trial.lose_publishes(times))
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

    def lose_publishes(self, times: int) -> list[float | None]:
        """One crash after each of so many hints; seconds from it until the hint's job starts."""
        self._database.rows(_WIDE_WINDOW, _WINDOW)
        died = {}
        last = self._submit()
        for number in range(times):
            last = self._crash_before_publishing(after=last)
            died[last] = time.time()
            if number % _TELL_EVERY == 0:
                say(f"{number + 1} of {times} hints lost to a crash")
        started = {str(row.id): row.started for row in self._starts(list(died))}
        return [
            started[job_id] - moment if started[job_id] else None for job_id, moment in died.items()
        ]

    def _crash_before_publishing(self, after: str) -> str:
        """Submit a job whose hint is committed and dies with its dispatcher; returns its id.

        One that a running task took along needed no hint: then another is submitted.
        """
        self._dispatcher_cut.write_text(after)
        job_id = self._submit()
        while self._dispatcher_cut.read_text():
            if self._database.rows(_STARTED, [job_id])[0].started:
                return self._crash_before_publishing(after=job_id)
            time.sleep(_LOOK_S)
        self._stack.wait_ready("dispatcher")
        return job_id

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
