"""The trial itself: an unkilled run, a killed run of the same seed, and the verdict."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from scripts.bench.killing.handicaps import cut_file, without_sweeper
from scripts.bench.killing.kills import Killer
from scripts.bench.killing.report import say
from scripts.bench.killing.run import Run, progress, running, submit_all, wait_for_end
from scripts.bench.killing.verdict import Outcome, Verdict, collect, compare, missing_webhooks
from scripts.bench.killing.workload import draw_workload, gallery_job, upload
from scripts.bench.trial.database import Database
from scripts.bench.trial.receiver import Receiver, running_receiver
from scripts.bench.trial.stack import trial_stack, unchanged

_OURS = ("api", "recognition", "webhooks", "default", "dispatcher", "beat")
# Jobs of more than 16 items have several shards, as large ones have in production.
_SETTINGS = {"SHARD_SIZE": "16"}
_UNSWEPT = _SETTINGS | {"HINT_SECONDS": "86400"}
# What is promised: the end within five minutes of the last kill.
_PATIENCE_S = 300.0
_UNKILLED_PATIENCE_S = 120.0
# Without a sweeper nothing more will happen after a while without progress.
_UNSWEPT_PATIENCE_S = 40.0
_WEBHOOK_PATIENCE_S = 120.0


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for."""

    jobs: int
    kills: int
    seed: int
    sweeper: bool


def run_chaos(wanted: Wanted) -> dict[str, object]:
    """Run the trial and return its report."""
    workload = draw_workload(wanted.seed, wanted.jobs)
    say(f"{len(workload.jobs)} jobs of {workload.item_count} items")
    change, settings = (unchanged, _SETTINGS) if wanted.sweeper else (without_sweeper, _UNSWEPT)
    with (
        running_receiver() as receiver,
        trial_stack(change, settings | receiver.allowed, report=say) as stack,
    ):
        upload(stack, workload.objects | gallery_job()[1])
        workload = replace(workload, objects={})
        stack.start(*(name for name in _OURS if name in stack.programs))
        with running(stack, "unkilled", workload, receiver) as (run, database):
            expected = _run_unkilled(run, database)
        with running(stack, "killed", workload, receiver) as (run, database):
            killed = _run_killed(run, database, wanted)
            _wait_for_webhooks(run, receiver)
            return _report(run, killed, receiver, compare(expected, collect(run, database)))


def _run_unkilled(run: Run, database: Database) -> Outcome:
    began = time.monotonic()
    submit_all(run, run.workload.jobs)
    if not wait_for_end(run, _UNKILLED_PATIENCE_S, progress(run)):
        raise RuntimeError("the unkilled run does not end; see the logs")
    say(f"unkilled run: {time.monotonic() - began:.0f} s")
    return collect(run, database)


def _run_killed(run: Run, database: Database, wanted: Wanted) -> Killer:
    rng = random.Random(wanted.seed)  # noqa: S311 - a trial must be repeatable, not unguessable
    killer = Killer(run, database, rng, wanted.kills)
    if not wanted.sweeper:
        _kill_by_script(run, killer)
        return killer
    with ThreadPoolExecutor() as pool:
        tasks = [pool.submit(submit_all, run, run.workload.jobs), pool.submit(killer.go)]
        wait_for_end(run, _PATIENCE_S, lambda: not all(task.done() for task in tasks))
        killer.ended = time.monotonic()
        run.stop.set()
        for task in tasks:
            task.result()
    return killer


def _kill_by_script(run: Run, killer: Killer) -> None:
    """Kill the only worker while it holds a lease, and the API between commit and wake-up."""
    *most, last = run.workload.jobs
    submitting = threading.Thread(target=submit_all, args=(run, most))
    submitting.start()
    killer.kill("worker", blind=False)
    wait_for_end(run, _UNSWEPT_PATIENCE_S, progress(run))
    cut_file(run.stack.state).touch()
    submit_all(run, [last])
    killer.kills["api"] += 1
    killer.last_kill = time.monotonic()
    wait_for_end(run, _UNSWEPT_PATIENCE_S, progress(run))
    killer.ended = time.monotonic()
    run.stop.set()
    submitting.join()


def _wait_for_webhooks(run: Run, receiver: Receiver) -> None:
    deadline = time.monotonic() + _WEBHOOK_PATIENCE_S
    while missing_webhooks(run, receiver.jobs) and time.monotonic() < deadline:
        time.sleep(0.5)


def _report(run: Run, killer: Killer, receiver: Receiver, verdict: Verdict) -> dict[str, object]:
    for line in verdict.details[:50]:
        say(line)
    say(f"{run.resent} requests were sent again; {receiver.unverified} deliveries did not verify")
    return {
        "jobs": len(run.workload.jobs),
        "items": run.workload.item_count,
        "kills": dict(killer.kills),
        "kills_on_live_lease": killer.on_live_lease,
        "lost": verdict.lost,
        "duplicates": verdict.duplicates,
        "wrong": verdict.wrong,
        "stuck": verdict.stuck,
        "terminal_s": round(killer.ended - killer.last_kill, 1),
        "webhooks_missing": missing_webhooks(run, receiver.jobs),
        "webhooks_duplicated": receiver.repeats(),
    }
