"""The erasure ledger beside the backups: exported often, and repeated on what was restored."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from app.config import Settings
from scripts.keeping.failures import KeepingError
from scripts.keeping.server import Server, rows
from scripts.keeping.shelf import Shelf
from scripts.stack.state import ROOT

_FOLDER = "erasures"
# Says until when the ledger is whole, also when nothing was erased since.
_COMPLETE = "complete.json"

_THERE = "SELECT to_regclass('public.erasure_ledger')::text"
_READ = """
SELECT json_build_object('id', id, 'tenant_id', tenant_id, 'kind', kind, 'target_id', target_id,
  'collection_id', collection_id, 'job_id', job_id, 'item_seq', item_seq, 'created_at', created_at
)::text FROM erasure_ledger ORDER BY created_at
"""


@dataclass(frozen=True)
class KnownErasures:
    """Files that tell of erasures, and the moment up to which they tell of all."""

    files: list[Path]
    until: dt.datetime | None


def export_erasures(settings: Settings) -> None:
    """Write what is new, and copy to the bucket what it lacks.

    Raises:
        KeepingError: the database or the bucket does not take part.
    """
    folder = settings.backup_dir / _FOLDER
    now = dt.datetime.now(dt.UTC)
    flask(settings, "erasures", "export", str(folder))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / (_COMPLETE + ".draft")
    draft.write_text(json.dumps({"until": now.isoformat()}) + "\n", encoding="utf-8")
    draft.replace(folder / _COMPLETE)
    shelf = Shelf.from_settings(settings, _FOLDER)
    if shelf is not None:
        there = set(shelf.names())
        for path in sorted(folder.glob("*.jsonl")):
            if path.name not in there:
                shelf.put(path, path.name)
        shelf.put(folder / _COMPLETE, _COMPLETE)


def known_erasures(settings: Settings, scratch: Path, old: Server | None) -> KnownErasures:
    """All that is known: this host's files, the bucket's, and the old database where it answers.

    `scratch` is a folder for copies of what is elsewhere.
    """
    until = []
    folder = settings.backup_dir / _FOLDER
    files = sorted(folder.glob("*.jsonl"))
    until.append(_until(folder / _COMPLETE))
    shelf = Shelf.from_settings(settings, _FOLDER)
    if shelf is not None:
        here = {path.name for path in files}
        for key in shelf.names():
            if key not in here:
                shelf.fetch(key, scratch / key)
        files += sorted(scratch.glob("*.jsonl"))
        until.append(_until(scratch / _COMPLETE) if _COMPLETE not in here else None)
    asked_at = dt.datetime.now(dt.UTC)
    if old is not None and (path := _from_database(old, scratch)):
        files.append(path)
        until.append(asked_at)
    moments = [moment for moment in until if moment is not None]
    return KnownErasures(files, max(moments, default=None))


def repeat_erasures(settings: Settings, database: Server, files: list[Path]) -> str:
    """Erase again what was erased; returns what the command said last."""
    app, queue = Server.of(settings.database_url, ""), Server.of(settings.database_queue_url, "")
    return flask(
        settings,
        *("erasures", "repeat", *map(str, files)),
        DATABASE_OWNER_URL=database.setting(),
        DATABASE_URL=app.named(database.database).setting(),
        DATABASE_QUEUE_URL=queue.named(database.database).setting(),
    )


def flask(settings: Settings, *command: str, **environment: str) -> str:
    """Run `flask COMMAND` and return the last line that it printed.

    Raises:
        KeepingError: it failed.
    """
    del settings  # the command reads the same environment
    result = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *command],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        said = (result.stderr.strip() or result.stdout.strip() or "no word")[-800:]
        raise KeepingError(f"flask {' '.join(command[:2])} failed: {said}")
    return (result.stdout.strip().splitlines() or [""])[-1]


def _until(path: Path) -> dt.datetime | None:
    if not path.exists():
        return None
    return dt.datetime.fromisoformat(json.loads(path.read_text(encoding="utf-8"))["until"])


def _from_database(old: Server, scratch: Path) -> Path | None:
    """What a database that still answers knows; None where it does not, or is too old to."""
    try:
        with old.connect() as connection:
            if rows(connection, _THERE) == [(None,)]:
                return None
            lines = [str(row[0]) for row in rows(connection, _READ)]
    except KeepingError:
        return None
    path = scratch / f"{old.database}.jsonl"
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path
