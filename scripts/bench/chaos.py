"""Kill everything, and show that nothing is lost. `python scripts/bench/chaos.py --help`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.bench.killing.chaos import Wanted, run_chaos
from scripts.bench.killing.flush import run_flush
from scripts.bench.killing.gap import run_gap

_HELP = """Kill parts of a working stack at random with SIGKILL, and compare what comes out with an
unkilled run of the same seed.

Starts a stack of its own in a temporary folder, with fsync on. Half of the jobs detect, a quarter
enrol, a quarter identify; each image is unique. Recognition child, whole worker, dispatcher, beat,
API, Redis and Postgres are killed in turn, most of them while a lease is live, and started again by
their supervisor. A cut request is sent again with its Idempotency-Key.

Exits 1 unless lost, duplicates, wrong, stuck and webhooks_missing are all 0.
"""
_MUST_BE_ZERO = ("lost", "duplicates", "wrong", "stuck", "webhooks_missing")


@click.command(help=_HELP)
@click.option("--jobs", default=100, show_default=True, type=click.IntRange(min=2))
@click.option("--kills", default=7, show_default=True, type=click.IntRange(min=0))
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--sweeper",
    type=click.Choice(["on", "off"]),
    default="on",
    show_default=True,
    help="off: to show that the check can fail. The stack then runs a dispatcher of the trial's own"
    " that neither looks by itself, nor publishes twice, nor takes back a lease, and no beat; two"
    " kills are scripted instead of --kills: the only worker while it holds a lease, and the API"
    " between a commit and its wake-up. FaceQueue itself has no such switch.",
)
@click.option(
    "--scenario",
    type=click.Choice(["kills", "gap", "flush"]),
    default="kills",
    show_default=True,
    help="gap: instead of random kills, the API dies between each of --jobs commits and its"
    " wake-up, then the dispatcher between commit and publish, as often, one hint each time."
    " flush: Redis is flushed five times with --jobs in flight.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
def chaos(*, jobs: int, kills: int, seed: int, sweeper: str, scenario: str, as_json: bool) -> None:
    """Run the trial."""
    if scenario == "gap":
        report = run_gap(jobs)
    elif scenario == "flush":
        report = run_flush(jobs, seed)
    else:
        report = run_chaos(Wanted(jobs, kills, seed, sweeper == "on"))
    if as_json:
        print(json.dumps(report))
    else:
        for name, value in report.items():
            print(f"{name:20} {value}")
    sys.exit(any(report.get(name) for name in _MUST_BE_ZERO))


if __name__ == "__main__":
    chaos()
