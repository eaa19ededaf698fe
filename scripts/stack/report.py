"""What runs, for a person."""

from __future__ import annotations

import shlex
import time
from contextlib import suppress
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from scripts.stack.environment import settings_of
from scripts.stack.state import State
from scripts.stack.supervision import processes, strays


def print_status(state: State) -> bool:
    """Print a table of programs and where to find them; whether all of them run."""
    console = Console()
    running = processes(state)
    if not running:
        console.print(_nothing_supervised(state))
        return False
    console.print(_table(running))
    print_where(console, state)
    return all(item["statename"] == "RUNNING" for item in running)


def _nothing_supervised(state: State) -> str:
    if left := len(strays(state)):
        return (
            f"supervisord is gone, and {left} processes run without it. End them with "
            "./scripts/quickstart.sh stop, or start afresh with ./scripts/quickstart.sh"
        )
    return "Nothing runs. Start it with ./scripts/quickstart.sh"


def _table(running: list[dict[str, Any]]) -> Table:
    table = Table("program", "state", "process", "up", "memory")
    for item in running:
        since = int(time.time() - item["start"]) if item["pid"] else 0
        megabytes = f"{_memory_of(item['pid']) // 2**20} MB" if item["pid"] else ""
        table.add_row(
            item["name"], item["statename"].lower(), str(item["pid"] or ""), f"{since} s", megabytes
        )
    return table


def print_where(console: Console, state: State) -> None:
    """Say where everything is and how to stop it."""
    settings = settings_of(state)
    user, _, password = settings["FLOWER_BASIC_AUTH"].partition(":")
    rows = {
        "API docs": f"{settings['FACEQUEUE_URL']}/api/v1/docs",
        "Flower": f"{settings['FLOWER_URL']}  (user {user}, password {password})",
        "S3": f"{settings['AWS_ENDPOINT_URL_S3']}  (bucket {settings['AWS_STORAGE_BUCKET_NAME']})",
        "Settings": f". {shlex.quote(str(state.env_file))}  (URL, API key, S3 keys)",
        "Look, stop": "./scripts/quickstart.sh status | logs | stop | reset",
    }
    for name, value in rows.items():
        console.print(f"{name + ':':<12}{value}", highlight=False, markup=False, soft_wrap=True)


def _memory_of(pid: int) -> int:
    """Bytes of a program and its children; what several processes share is shared out (PSS)."""
    total = 0
    with suppress(psutil.Error):
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            with suppress(psutil.Error):
                total += process.memory_full_info().pss
    return total
