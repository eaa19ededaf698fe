"""ENABLE_WEBHOOKS=false holds events: none is lost, none is told, and they go out afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.domain.job_request import ItemRequest
from app.domain.states import DeliveryState, Operation
from app.domain.storage import ObjectLocation
from app.services.tenancy.storage_places import allow_location
from app.services.webhooks.deliver import deliver_due
from scripts.stack import application
from scripts.stack.state import State
from tests.factories.tenant_world import TenantWorld
from tests.support.processes import WORKERS, Processes, wait_until

pytestmark = [pytest.mark.stack, pytest.mark.slow]


@pytest.fixture
def switched_off(
    services: State,
    stack_environment: dict[str, str],
    programs: Processes,
    models_dir: Path,
    tmp_path: Path,
) -> Iterator[Processes]:
    """Workers and a dispatcher of an operator who has switched webhooks off."""
    del models_dir
    programs.stop_all()
    found = {program.name: program for program in application.programs(services)}
    started = Processes(found, {**stack_environment, "ENABLE_WEBHOOKS": "false"}, tmp_path)
    started.ensure(*WORKERS)
    yield started
    started.stop_all()


def end_job(world: TenantWorld) -> UUID:
    return world.run(Operation.DETECT, ItemRequest("a", world.uri("no.jpg"))).id


def test_events_of_jobs_that_end_meanwhile_go_out_when_webhooks_are_switched_on_again(
    sender: Any, stack_receiver: Any, switched_off: Processes, programs: Processes
) -> None:
    world = TenantWorld(sender.tenant_id)
    # Its items are looked for by a worker, which ends the job.
    allow_location(world.tenant_id, ObjectLocation(world.bucket, str(world.tenant_id)))
    sender.endpoint(stack_receiver.url)
    job_id = end_job(world)
    # For this one the dispatcher has looked, which also looks for what else is due.
    end_job(world)
    assert sender.states() == [DeliveryState.PENDING] * 2
    assert stack_receiver.received == []

    switched_off.stop_all()
    programs.ensure("dispatcher", "webhooks")

    wait_until(lambda: sender.states() == [DeliveryState.DELIVERED] * 2, seconds=60)
    assert str(job_id).encode() in b"".join(one.body for one in stack_receiver.received)


def test_a_hint_from_before_makes_no_attempt(
    sender: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, _ = sender.endpoint(receiver.url)
    delivery_id = sender.event(endpoint, sender.read_endpoint(endpoint).created_at)
    off = sender.app.config["SETTINGS"].model_copy(update={"enable_webhooks": False})
    monkeypatch.setitem(sender.app.config, "SETTINGS", off)

    assert deliver_due(sender.tenant_id, delivery_id) == 0

    assert (sender.attempts(delivery_id), receiver.received) == ([], [])
