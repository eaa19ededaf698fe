"""FaceQueue's own processes, started as in production."""

from __future__ import annotations

import sys
from collections.abc import Callable

import requests

from scripts.stack.environment import recognition_children, settings_of
from scripts.stack.programs import Program
from scripts.stack.state import State

_CELERY = (sys.executable, "-m", "celery", "-A", "celery_worker:celery")
_SCHEDULER = "workers.beat_scheduler:BeatScheduler"


def programs(state: State) -> list[Program]:
    """The processes of one host."""
    return [
        Program(
            "api",
            (sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "wsgi:app"),
            ready=_answers("FACEQUEUE_URL", "/health/"),
            ports=("api",),
            stop_seconds=20,
        ),
        _worker("recognition", "recognition", "prefork", recognition_children()),
        _worker("default", "webhooks,analytics,default", "threads", 8),
        Program(
            "dispatcher", (sys.executable, "-m", "workers.dispatcher"), ready_words='"leading"'
        ),
        Program(
            "beat",
            (*_CELERY, "beat", "-S", _SCHEDULER, "--pidfile="),
            ready_words="Schedule changed",
            late=True,
        ),
        Program(
            "flower",
            (*_CELERY, "flower", "--address=127.0.0.1", f"--port={state.ports['flower']}"),
            ready=_answers("FLOWER_URL", "/healthcheck"),
            ports=("flower",),
            late=True,
            # Its password, in the environment and so not in the list of processes.
            environment={"FLOWER_BASIC_AUTH": settings_of(state)["FLOWER_BASIC_AUTH"]},
        ),
    ]


def _worker(name: str, queues: str, pool: str, size: int) -> Program:
    extra = ("--prefetch-multiplier", "1") if pool == "prefork" else ()
    command = (
        *_CELERY,
        "worker",
        "-Q",
        queues,
        "-n",
        f"{name}@%h",
        "--pool",
        pool,
        "-c",
        str(size),
    )
    return Program(
        name=name,
        command=(*command, *extra, "--without-mingle", "--without-gossip"),
        ready_words=" ready.",
        stop_seconds=40,  # a busy one stops at a batch boundary within 30 s
        environment={"REMAP_SIGTERM": "SIGQUIT"},
    )


def _answers(setting: str, path: str) -> Callable[[State], bool]:
    def ready(state: State) -> bool:
        try:
            return requests.get(settings_of(state)[setting] + path, timeout=5).ok
        except requests.RequestException:
            return False

    return ready
