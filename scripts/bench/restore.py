"""How long backups and restores take. `python scripts/bench/restore.py --help`."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.config import Settings, load_settings
from scripts.bench.restoring.filling import answers, fill, size_of
from scripts.keeping.backup_database import back_up
from scripts.keeping.programs import find_programs, server_major
from scripts.keeping.restore_database import Choices, restore
from scripts.keeping.scratch_server import ScratchServer, scratch_server
from scripts.keeping.swap import bootstrap
from scripts.stack.databases import upgrade
from scripts.stack.environment import DATABASE, settings_of

_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}

_HELP = """Back up a database with many enrolled faces, destroy it, restore it, and compare.

Starts a PostgreSQL server of its own in a temporary folder, with fsync on, and fills it with faces
of 128 dimensions. Then the operators' own functions back it up and restore it. Compared are the row
counts of every table and the searches of the manifest, and what searches with new faces find.

Exits 1 when anything differs.
"""


def measure(faces: int, jobs: int) -> dict[str, object]:
    """Fill, back up, destroy, restore, compare; see the command's help."""
    with scratch_server() as server, tempfile.TemporaryDirectory() as folder:
        server.start(_DURABLE)
        settings = _settings(server, Path(folder))
        superuser, owner = server.as_role("superuser"), server.as_role("owner", DATABASE)
        programs = find_programs(None, server_major(superuser))
        bootstrap(settings, superuser, programs, DATABASE)
        upgrade(os.environ)
        seconds: dict[str, float] = {}
        with _timed(seconds, "fill"):
            fill(owner, faces)
        before, size = answers(owner), size_of(owner)
        with _timed(seconds, "backup"):
            backup = back_up(settings)
        with superuser.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{DATABASE}" WITH (FORCE)')
        with _timed(seconds, "restore"):
            done = restore(settings, superuser, backup, Choices(jobs=jobs))
        manifest = json.loads((backup / "manifest.json").read_text(encoding="utf-8"))
        return {
            "faces": manifest["counts"]["faces"],
            "database_mb": round(size / 1e6, 1),
            "backup_mb": round(sum(p.stat().st_size for p in backup.iterdir()) / 1e6, 1),
            "dump_s": manifest["seconds"],
            **{f"{name}_s": value for name, value in seconds.items()},
            "tables_compared": len(manifest["counts"]),
            "rows_compared": sum(manifest["counts"].values()),
            "searches_compared": sum(len(found) for found in manifest["searches"].values()),
            "new_searches_compared": len({number for number, _ in before}),
            "erasures_until": str(done.erasures_until),
            "same": answers(owner) == before,
        }


def _settings(server: ScratchServer, folder: Path) -> Settings:
    """The environment of an installation on this server, for us and for what we start."""
    os.environ.update(settings_of(server.state))
    os.environ["BACKUP_DIR"] = str(folder / "backups")
    return load_settings()


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    started = time.monotonic()
    print(name, file=sys.stderr, flush=True)
    yield
    seconds[name] = round(time.monotonic() - started, 1)


@click.command(help=_HELP)
@click.option("--faces", default=100_000, show_default=True, type=click.IntRange(2))
@click.option("--jobs", default=2, show_default=True, help="Tables restored at once.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line.")
def main(faces: int, jobs: int, *, as_json: bool) -> None:
    """Measure and print."""
    report = measure(faces, jobs)
    print(json.dumps(report, indent=None if as_json else 2))
    sys.exit(not report["same"])


if __name__ == "__main__":
    main()
