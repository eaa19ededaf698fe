"""`scripts/analyze_logs.sh`: what FaceQueue's logs come to."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from scripts.watching.log_lines import Reading, of_standard_input, parse_since
from scripts.watching.log_report import LogReport
from scripts.watching.tables import table

_HELP = """Tell what FaceQueue's logs come to: the most common errors and warnings, the slowest
endpoints, stages and statements, and the clients with most requests.

Reads FILES, packed ones (.gz) too; without any, or for `-`, what is piped in; with --journal, what
the journal of this host has of our units. A client is a tenant's id. Times of requests are without
what a client asked to wait (`Prefer: wait`); percentiles are exact to 5 %. Lines that are not of
our form, such as the banners of Celery, are counted and passed over.

\b
    journalctl -u 'facequeue-*' -o cat | scripts/analyze_logs.sh
    scripts/analyze_logs.sh --since 2h /var/log/facequeue/*.log*
    docker compose logs --no-color | docker compose exec -T api scripts/analyze_logs.sh

\b
Exit status:
  0  told
  1  a file or the journal could not be read to its end (what could is told), or no line is ours
  2  the command line is wrong
"""
_TITLES = {
    "problems": "Errors and warnings",
    "endpoints": "Slowest endpoints",
    "stages": "Stages of recognition, by task",
    "slow_statements": "Slow statements",
    "clients": "Clients",
}


def report_of(reading: Reading, texts: Iterator[str], since: dt.datetime | None) -> LogReport:
    """Add up all lines."""
    report = LogReport()
    for line in reading.parsed(texts, since):
        report.add(line)
    return report


@click.command(help=_HELP)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--journal", is_flag=True, help="Read the journal of this host.")
@click.option("--since", callback=parse_since, help="Only later lines: 15m, 2h, 7d, or a time.")
@click.option("--top", default=10, show_default=True, type=click.IntRange(1), help="Rows each.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def main(
    files: Sequence[Path], *, journal: bool, since: dt.datetime | None, top: int, as_json: bool
) -> None:
    """Read, and tell."""
    if journal and files:
        raise click.UsageError("Either FILES or --journal")
    reading = Reading()
    report = report_of(reading, _texts(reading, files, since, journal=journal), since)
    found = report.as_dict(reading, top)
    click.echo(json.dumps(found, indent=1) if as_json else _text(found))
    for fault in reading.faults:
        click.echo(f"Error: {fault}", err=True)
    if reading.faults or reading.lines == reading.unreadable:
        sys.exit(1)


def _texts(
    reading: Reading, files: Sequence[Path], since: dt.datetime | None, *, journal: bool
) -> Iterator[str]:
    if journal:
        return reading.of_journal(since)
    if not files or files == (Path("-"),):
        return of_standard_input()
    return reading.of_files(files)


def _text(found: dict[str, Any]) -> str:
    span = f"{found['from']} to {found['to']}" if found["from"] else "no time"
    parts = [f"{found['lines']} lines, {found['unreadable_lines']} not of our form; {span}"]
    for name, title in _TITLES.items():
        parts.append(f"\n{title}\n" + (table(found[name]) if found[name] else "  none"))
    return "\n".join(parts)


if __name__ == "__main__":
    main()
