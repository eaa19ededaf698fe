"""What runs, for a person."""

from __future__ import annotations

import time
from contextlib import suppress

import psutil
from rich.console import Console
from rich.table import Table

from scripts.stack.environment import settings_of
from scripts.stack.state import State
from scripts.stack.supervision import processes


def print_status(state: State) -> bool:
    """Print a table of programs and where to find them; whether all of them run."""
    console = Console()
    running = processes(state)
    if not running:
        console.print("Nothing runs. Start it with ./scripts/quickstart.sh")
        return False
    table = Table("program", "state", "process", "up", "memory")
    for item in running:
        since = int(time.time() - item["start"]) if item["pid"] else 0
        megabytes = f"{memory_of(item['pid']) // 2**20} MB" if item["pid"] else ""
        table.add_row(
            item["name"], item["statename"].lower(), str(item["pid"] or ""), f"{since} s", megabytes
        )
    console.print(table)
    settings = settings_of(state)
    console.print(
        f"API docs {settings['FACEQUEUE_URL']}/api/v1/docs   Flower {settings['FLOWER_URL']}"
    )
    console.print(f"Settings . {state.env_file}   Logs {state.logs}", highlight=False)
    return all(item["statename"] == "RUNNING" for item in running)


def memory_of(pid: int) -> int:
    """Bytes of a program and its children; pages that they share are counted in each (RSS)."""
    total = 0
    with suppress(psutil.Error):
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            with suppress(psutil.Error):
                total += process.memory_info().rss
    return total
