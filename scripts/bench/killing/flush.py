"""The broker flushed, again and again, while many jobs are in flight."""

from __future__ import annotations

import time
from dataclasses import replace

import redis

from scripts.bench.killing.report import say
from scripts.bench.killing.run import Run, progress, running, submit_all, wait_for_end
from scripts.bench.killing.workload import draw_workload, gallery_job, upload
from scripts.bench.trial.receiver import running_receiver
from scripts.bench.trial.stack import TrialStack, trial_stack

_PROGRAMS = ("api", "recognition", "webhooks", "default", "dispatcher", "beat")
_FLUSHES = 5
_PAUSE_S = 1.0
_PATIENCE_S = 120.0


def run_flush(jobs: int, seed: int) -> dict[str, object]:
    """Flush Redis five times, a second apart, with `jobs` in flight; how soon all have ended."""
    workload = draw_workload(seed, jobs)
    with (
        running_receiver() as receiver,
        trial_stack(settings=receiver.allowed, report=say) as stack,
    ):
        upload(stack, workload.objects | gallery_job()[1])
        stack.start(*_PROGRAMS)
        workload = replace(workload, objects={})
        with running(stack, "flushed", workload, receiver) as (run, database):
            in_flight = _pile_up(run)
            while not database.value("SELECT count(*) FROM shards WHERE state = 'leased'"):
                time.sleep(0.05)
            _flush(stack)
            flushed = time.monotonic()
            wait_for_end(run, _PATIENCE_S, progress(run))
            return {
                "jobs": jobs,
                "items": workload.item_count,
                "in_flight": in_flight,
                "flushes": _FLUSHES,
                "stuck": run.in_flight,
                "terminal_s": round(time.monotonic() - flushed, 1),
            }


def _pile_up(run: Run) -> int:
    """Submit every job while no worker runs, then start it; how many are in flight."""
    run.stack.stop("recognition")
    run.most_open = len(run.workload.jobs)
    submit_all(run, run.workload.jobs)
    in_flight = run.in_flight
    run.stack.start("recognition")
    return in_flight


def _flush(stack: TrialStack) -> None:
    with redis.Redis.from_url(stack.settings["CELERY_BROKER_URL"]) as broker:
        for _ in range(_FLUSHES):
            broker.flushall()
            time.sleep(_PAUSE_S)
