"""How fast the API takes jobs. `python scripts/bench/submit.py --help`."""

from __future__ import annotations

import json
import statistics
import sys
from dataclasses import replace
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.bench.submitting.load import LoadGenerator
from scripts.bench.trial.database import Database
from scripts.bench.trial.stack import TrialStack, trial_stack
from scripts.stack.programs import Program
from scripts.stack.state import State

_HELP = """Measure jobs a second, items a second and latencies of POST /jobs, over HTTP.

Starts a stack of its own in a temporary folder, with fsync and row-level security on and without
recognition workers. The load generator shares the machine's cores with it. Then measures how the
time of one submission grows with its items, and all of it again with a million items there.
"""
_SIZES = (1, 10, 100, 1000, 10_000)
_TIMES = {1: 30, 10: 30, 100: 30, 1000: 10, 10_000: 5}
_ITEMS = 100
_WARM_SECONDS = 2.0


def measure(clients: int, seconds: float, api_workers: int, already: int) -> dict[str, object]:
    """Run every measurement; see the command's help."""

    def with_workers(_state: State, program: Program) -> Program:
        more = {"GUNICORN_WORKERS": str(api_workers)}
        return replace(program, environment={**program.environment, **more})

    with trial_stack(with_workers, report=_say) as stack:
        stack.start("api", "dispatcher")
        generator = LoadGenerator(stack.url, stack.make_tenant("load").key)
        generator.run(_ITEMS, clients, _WARM_SECONDS)
        report: dict[str, object] = {
            "api_workers": api_workers,
            "clients": clients,
            "fsync": _setting(stack, "fsync"),
            "synchronous_commit": _setting(stack, "synchronous_commit"),
            "hundred_items": generator.run(_ITEMS, clients, seconds).report(),
            "growth_ms": _growth(generator),
        }
        if already:
            _say(f"Submitting {already} items")
            generator.submit(_SIZES[-1], already // _SIZES[-1])
            report["items_already"] = _count_items(stack)
            report["hundred_items_then"] = generator.run(_ITEMS, clients, seconds).report()
            report["growth_ms_then"] = _growth(generator)
    return report


def _growth(generator: LoadGenerator) -> dict[str, float]:
    medians = {size: statistics.median(generator.submit(size, _TIMES[size])) for size in _SIZES}
    return {str(size): round(median * 1000, 1) for size, median in medians.items()}


def _setting(stack: TrialStack, name: str) -> str:
    database = Database(stack.settings["DATABASE_URL"])
    try:
        return str(database.value("SELECT current_setting(%s)", name))
    finally:
        database.close()


def _count_items(stack: TrialStack) -> int:
    database = Database(stack.settings["DATABASE_OWNER_URL"])
    try:
        return int(database.value("SELECT count(*) FROM items"))
    finally:
        database.close()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@click.command(help=_HELP)
@click.option("--clients", default=8, show_default=True, help="Connections that submit at once.")
@click.option("--seconds", default=15.0, show_default=True, help="Length of the measured load.")
@click.option("--api-workers", default=2, show_default=True, help="Processes of the API.")
@click.option(
    "--already", default=1_000_000, show_default=True, help="Items there before the second half."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line.")
def submit(*, clients: int, seconds: float, api_workers: int, already: int, as_json: bool) -> None:
    """Measure and print."""
    report = measure(clients, seconds, api_workers, already)
    print(json.dumps(report, indent=None if as_json else 2))


if __name__ == "__main__":
    submit()
