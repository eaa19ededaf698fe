"""One tenant's large job, and the others beside it. `python scripts/bench/fairness.py --help`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.bench.sharing.measure import BATCH_ITEMS, SHARD_ITEMS, Sharing
from scripts.bench.trial.stack import trial_stack

_HELP = """Measure what small jobs wait while another tenant's large job keeps the workers busy.

Starts a stack of its own in a temporary folder with one recognition child. Delays are seconds
from a job's creation to its first lease (start) and to its end (finish).

Exits 1 unless a 5-image job starts within the time of one shard, a `Prefer: wait` job within that
of one batch (and a half, for noise), and the large job keeps at least a fifth of the items beside a
stream of small ones.
"""
_PROGRAMS = ("api", "recognition", "dispatcher")
_LEAST_SHARE = 0.2
# Batches last longer beside a database and a load generator than on average.
_NOISE = 1.5


def measure(bulk: int, repeats: int, seconds: float) -> dict[str, object]:
    """Run every measurement; see the command's help."""
    settings = {"MAX_JOB_ITEMS": str(bulk)}
    with trial_stack(settings=settings, report=_say) as stack:
        stack.start(*_PROGRAMS)
        sharing = Sharing(stack)
        idle = sharing.small_jobs(repeats, 5)
        sharing.submit_bulk(bulk)
        rate = sharing.bulk_rate(seconds)
        small = sharing.small_jobs(repeats, 5)
        waiting = sharing.small_jobs(repeats, 1, wait_s=30)
        same_lane = sharing.small_jobs(max(1, repeats // 4), 20)
        stream = sharing.stream(seconds, (1, 2, 3, 5))
        canceled = sharing.cancel_bulk()
    return {
        "bulk_items": bulk,
        "bulk_items_per_s": round(rate, 1),
        "shard_s": round(SHARD_ITEMS / rate, 2),
        "batch_s": round(BATCH_ITEMS / rate, 2),
        "five_images_idle": idle.report(),
        "five_images": small.report(),
        "prefer_wait": waiting.report(),
        "twenty_images_bulk_lane": same_lane.report(),
        "stream_of_small_jobs": stream,
        "cancel_s": round(canceled, 2),
        "fair": max(small.start) <= SHARD_ITEMS / rate
        and max(waiting.start) <= _NOISE * BATCH_ITEMS / rate
        and stream["bulk_share"] >= _LEAST_SHARE,
    }


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@click.command(help=_HELP)
@click.option("--bulk", default=100_000, show_default=True, help="Images of the large job.")
@click.option("--repeats", default=12, show_default=True, help="Small jobs of each kind.")
@click.option("--seconds", default=20.0, show_default=True, help="Length of each rate's measure.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def fairness(*, bulk: int, repeats: int, seconds: float, as_json: bool) -> None:
    """Measure and print."""
    report = measure(bulk, repeats, seconds)
    print(json.dumps(report, indent=None if as_json else 2))
    sys.exit(not report["fair"])


if __name__ == "__main__":
    fairness()
