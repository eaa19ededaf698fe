"""What the audit log's chain costs. `python scripts/bench/audit.py --help`."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.bench.auditing.submissions import Submissions
from scripts.bench.auditing.verifying import LargeLog
from scripts.bench.trial.stack import trial_stack
from scripts.stack.programs import Program
from scripts.stack.state import State

_HELP = """Measure what the audit log's chain costs submissions, and how long verifying takes.

Starts a stack of its own in a temporary folder, with fsync and row-level security on. Submits
jobs of one image at a steady rate, and then as many as it can, with the chainer at work beside
them and without, by turns; the load generator and the chainer share the machine's cores with the
API. Then fills the log, and chains and verifies all of it with the operators' commands. A tenth
of the events is verified first: memory must not grow with the log.

Exits 1 when the chain is not whole.
"""


def measure(
    rate: float, seconds: float, rounds: int, every_s: float, events: int, tenants: int
) -> dict[str, object]:
    """Run every measurement; see the command's help."""

    def two_workers(_state: State, program: Program) -> Program:
        return replace(program, environment={**program.environment, "GUNICORN_WORKERS": "2"})

    report: dict[str, object] = {}
    with trial_stack(two_workers, report=_say) as stack:
        log = LargeLog(stack)
        if rounds:
            stack.start("api", "dispatcher")
            _say("Submitting with the chainer and without")
            submissions = Submissions(stack, rate, seconds, every_s)
            report["submissions"] = submissions.compare(rounds, clients=8)
            stack.stop("api", "dispatcher")
        log.chain()
        for share in (events // 10, events - events // 10):
            _say(f"Adding {share} events")
            log.fill(share, tenants)
            chained = log.chain()
            report[f"chain_{share}"] = chained
            found = log.verify()
            report[f"verify_{found['events']}"] = found
    report["whole"] = found["whole"]
    return report


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@click.command(help=_HELP)
@click.option("--rate", default=100.0, show_default=True, help="Submissions a second.")
@click.option("--seconds", default=10.0, show_default=True, help="Length of each turn.")
@click.option("--rounds", default=3, show_default=True, help="Turns of each kind; 0: none.")
@click.option(
    "--every", "every_s", default=1.0, show_default=True, help="Seconds between chainings."
)
@click.option("--events", default=1_000_000, show_default=True, help="Events to verify.")
@click.option("--tenants", default=10, show_default=True, help="Tenants that they belong to.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line.")
def audit(**options: object) -> None:
    """Measure and print."""
    as_json = options.pop("as_json")
    report = measure(**options)  # type: ignore[arg-type]  # click has checked each
    print(json.dumps(report, indent=None if as_json else 2))
    sys.exit(not report["whole"])


if __name__ == "__main__":
    audit()
