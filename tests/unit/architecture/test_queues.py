"""Every task has a queue, and every queue a worker in what we deploy."""

from __future__ import annotations

import re
from pathlib import Path

from app.domain.names import TASK_QUEUES, QueueName, TaskName, recognition_queue
from workers.bootstrap import TASK_MODULES
from workers.chores import INTERVALS

ROOT = Path(__file__).parents[3]


def test_every_task_has_a_queue() -> None:
    assert set(TASK_QUEUES) == set(TaskName)


def test_every_task_is_defined_once_in_a_module_that_workers_load() -> None:
    sources = [
        (ROOT / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8")
        for module in TASK_MODULES
    ]
    defined = re.findall(r"@shared_task\(\s*name=TaskName\.(\w+)", "\n".join(sources))

    assert sorted(defined) == sorted(TaskName.__members__)


def test_every_queue_has_a_worker_among_the_systemd_units() -> None:
    units = "\n".join(path.read_text() for path in (ROOT / "deploy/systemd").glob("*.service"))
    served = {
        name
        for queues in re.findall(r"(?:-Q|--queues)[ =](\S+)", units)
        for name in queues.split(",")
    }

    assert {queue.value for queue in QueueName} <= served


def test_task_names_are_kebab_case() -> None:
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", task.value) for task in TaskName)


def test_what_beat_fires_is_slow() -> None:
    assert all(interval.total_seconds() >= 60 for interval in INTERVALS.values())


def test_a_further_model_has_a_queue_of_its_own() -> None:
    assert recognition_queue("SFace@abc", "SFace") == "recognition"
    assert recognition_queue("ArcFace@abc", "SFace") == "recognition.ArcFace"
