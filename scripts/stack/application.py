"""FaceQueue's own processes, started as in production."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

import requests

from scripts.stack.environment import recognition_children, settings_of
from scripts.stack.programs import Program
from scripts.stack.state import State

_CELERY = (sys.executable, "-m", "celery", "-A", "celery_worker:celery")
_SCHEDULER = "workers.beat_scheduler:BeatScheduler"

# What the owner of the database and the signer of its audit log are known by: for the chores alone.
# An empty variable is one that is not set.
_OF_CHORES = ("DATABASE_OWNER_URL", "AUDIT_SIGNING_KEY")
_WITHHELD = dict.fromkeys(_OF_CHORES, "")


def programs(state: State) -> list[Program]:
    """The processes of one host."""
    return [
        Program(
            "api",
            (sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "wsgi:app"),
            ready=_answers("FACEQUEUE_URL", "/health/"),
            ports=("api",),
            stop_seconds=20,
            environment=_WITHHELD,
        ),
        _worker("recognition", "recognition", "prefork", recognition_children(), _WITHHELD),
        _worker("webhooks", "webhooks", "threads", 8, _WITHHELD),
        _worker("default", "analytics,default", "threads", 2, {}),
        Program(
            "dispatcher",
            (sys.executable, "-m", "workers.dispatcher"),
            ready_words='"leading"',
            environment=_WITHHELD,
        ),
        Program(
            "beat",
            (*_CELERY, "beat", "-S", _SCHEDULER, "--pidfile="),
            ready_words="Schedule changed",
            late=True,
            environment=_WITHHELD,
        ),
        Program(
            "flower",
            (*_CELERY, "flower", "--address=127.0.0.1", f"--port={state.ports['flower']}"),
            ready=_answers("FLOWER_URL", "/healthcheck"),
            ports=("flower",),
            late=True,
            # Its password, in the environment and so not in the list of processes.
            environment={
                **_WITHHELD,
                "FLOWER_BASIC_AUTH": settings_of(state)["FLOWER_BASIC_AUTH"],
            },
        ),
    ]


def _worker(
    name: str, queues: str, pool: str, size: int, environment: Mapping[str, str]
) -> Program:
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
        environment={**environment, "REMAP_SIGTERM": "SIGQUIT"},
    )


def _answers(setting: str, path: str) -> Callable[[State], bool]:
    def ready(state: State) -> bool:
        try:
            return requests.get(settings_of(state)[setting] + path, timeout=5).ok
        except requests.RequestException:
            return False

    return ready
