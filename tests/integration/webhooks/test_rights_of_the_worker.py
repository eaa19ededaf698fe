"""The process that calls strangers' addresses can do that, and nothing of the owner's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.domain.actor import SYSTEM
from app.services.webhooks.endpoints import send_test_event
from scripts.stack import application
from scripts.stack.state import State
from tests.support.processes import Processes, wait_until

pytestmark = pytest.mark.stack

WARNING = '"event": "owner_url_needless"'


def test_it_delivers_without_the_owners_address_in_its_environment(
    sender: Any, stack_receiver: Any, programs: Processes
) -> None:
    endpoint, _ = sender.endpoint(stack_receiver.url)
    programs.ensure("dispatcher", "webhooks")

    delivery = send_test_event(sender.tenant_id, endpoint, SYSTEM)

    wait_until(lambda: sender.read_delivery(delivery.id).state == "delivered", seconds=60)
    environment = psutil.Process(programs.running["webhooks"].pid).environ()
    assert not environment.get("DATABASE_OWNER_URL")
    assert WARNING not in programs.log("webhooks").read_text()


@pytest.fixture
def rich(services: State, stack_environment: dict[str, str], tmp_path: Path) -> Iterator[Processes]:
    """The same worker, started as one that has more than it needs."""
    found = {program.name: program for program in application.programs(services)}
    started = Processes(
        {"webhooks": replace(found["webhooks"], environment={})}, stack_environment, tmp_path
    )
    yield started
    started.stop_all()


def test_with_the_owners_address_it_warns_as_it_starts(rich: Processes) -> None:
    rich.start("webhooks")

    wait_until(lambda: WARNING in rich.log("webhooks").read_text(), seconds=60, what="the warning")


def test_of_the_stacks_processes_the_chores_alone_get_what_is_the_owners(services: State) -> None:
    given = {
        program.name
        for program in application.programs(services)
        if program.environment.get("DATABASE_OWNER_URL", "inherited")
    }

    assert given == {"default"}
