"""PostgreSQL's settings for a machine. `python scripts/tune_postgres.py --help`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.keeping.tuning import Machine, configuration

_UNITS = {"MB": 1, "GB": 1024}
_LEAST_MB = 512

_HELP = """Print a postgresql.conf for a machine, or for PostgreSQL's share of one, and its reasons.

The formulas stand in scripts/keeping/tuning.py; deploy/postgres/postgresql.conf is what this prints
for 16 GB and 8 cores. Put the answer into conf.d/facequeue.conf beside postgresql.conf, and restart
the server. With --archive, also the settings of WAL archiving: without a place that
scripts/archive_wal.sh can write to, they let WAL pile up.
"""


def _megabytes(_context: click.Context, _parameter: click.Parameter, text: str) -> int:
    found = re.fullmatch(r"(\d+) ?([MG]B)", text.upper())
    if found is None or int(found[1]) * _UNITS[found[2]] < _LEAST_MB:
        raise click.BadParameter(f"such as 16GB or 2048MB, {_LEAST_MB}MB at least")
    return int(found[1]) * _UNITS[found[2]]


@click.command(help=_HELP)
@click.option("--memory", required=True, callback=_megabytes, help="Such as 16GB.")
@click.option("--cores", required=True, type=click.IntRange(1), help="Physical cores.")
@click.option("--connections", default=200, show_default=True, type=click.IntRange(20))
@click.option("--archive", is_flag=True, help="With WAL archiving.")
def tune(memory: int, cores: int, connections: int, *, archive: bool) -> None:
    """Print it."""
    click.echo(configuration(Machine(memory, cores, connections), archive=archive), nl=False)


if __name__ == "__main__":
    tune()
