"""How fast a gallery is searched, and what is found. `python scripts/bench/search.py --help`."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

# As a worker's child has it; read once, as NumPy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app import create_app
from app.config import load_settings
from app.domain.searches import SearchIndex
from app.services.gallery.follow_vectors import follow, keep_copies, kept_copies
from app.services.gallery.strategies.exact_cached import ExactCached
from app.services.gallery.strategies.exact_sql import ExactSql
from app.services.gallery.strategies.exact_streamed import ExactStreamed
from app.services.gallery.strategies.strategy import Strategy
from scripts.bench.searching.made_gallery import make_galleries, table_bytes
from scripts.bench.searching.measure import measure
from scripts.stack import lifecycle, preparation
from scripts.stack.environment import DATABASE, process_environment
from scripts.stack.state import State

_HELP = """Measure strategies on made faces: milliseconds of a single probe and of a batch, recall.

Starts a PostgreSQL of its own in a temporary folder and searches from this process, as the app's
role. Half of the probes show people who are there, half show strangers.
"""
_CACHE_MB = 6000


def cached() -> Strategy:
    """As in a worker's child; where no copy can be had, `strategy` in the report says so."""
    kept = kept_copies()
    if kept is None:
        raise LookupError("no copies are kept")
    return ExactCached(kept, ExactStreamed())


_STRATEGIES: dict[str, Callable[[], Strategy]] = {
    SearchIndex.EXACT.value: ExactSql,
    SearchIndex.STREAMED.value: ExactStreamed,
    SearchIndex.CACHED.value: cached,
}


def run(
    state: State, names: Sequence[str], size: dict[str, int], effort: dict[str, int]
) -> Iterator[dict[str, Any]]:
    """Make the galleries and measure each strategy on them."""
    os.environ.update(process_environment(state) | {"LOG_LEVEL": "WARNING"})
    preparation.migrate(state)
    with create_app(load_settings()).app_context():
        began = time.monotonic()
        collections, faces = make_galleries(state, DATABASE, **size)
        print(f"made in {time.monotonic() - began:.0f} s", file=sys.stderr)
        stored = table_bytes(state, DATABASE, size["dims"])
        # No strategy here builds anything that lasts.
        kept = {
            "build_s": 0,
            "bytes_per_face": round(stored / (size["faces"] * size["collections"])),
        }
        if SearchIndex.CACHED.value in names:
            keep_copies(_CACHE_MB, "bench")
            follow()
        for name in names:
            strategy = _STRATEGIES[name]()
            found = measure(strategy, collections, faces, **effort)
            what = {**size, "strategy": strategy.index.value, "batch": effort["batch"]}
            yield {**what, **found, **kept}


@click.command(help=_HELP)
@click.option("--faces", default=100_000, show_default=True, help="Faces of a collection.")
@click.option("--dims", type=click.Choice(["128", "512"]), default="128", show_default=True)
@click.option("--collections", default=1, show_default=True)
@click.option(
    "--strategy",
    "strategies",
    multiple=True,
    type=click.Choice(sorted(_STRATEGIES)),
    default=["exact"],
    help="May be given several times: the faces are made once.",
)
@click.option("--batch", default=72, show_default=True, help="Probes of a batch.")
@click.option("--rounds", default=5, show_default=True, help="Batches that are timed.")
@click.option("--singles", default=40, show_default=True, help="Probes that are timed alone.")
@click.option("--compared", default=16, show_default=True, help="Probes compared with SQL.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a strategy and line.")
def search(
    *,
    strategies: tuple[str, ...],
    dims: str,
    as_json: bool,
    faces: int,
    collections: int,
    **effort: int,
) -> None:
    """Measure and print."""
    size = {"faces": faces, "dims": int(dims), "collections": collections}
    # Told to stop, leave nothing behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    folder = Path(tempfile.mkdtemp(prefix="facequeue-search-"))
    try:
        state = lifecycle.up(folder, everything=False, report=lambda _: None)
        for report in run(state, strategies, size, effort):
            print(json.dumps(report, indent=None if as_json else 2), flush=True)
    finally:
        lifecycle.reset(folder)


if __name__ == "__main__":
    search()
