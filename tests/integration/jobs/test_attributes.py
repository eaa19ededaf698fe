"""Attributes are for tenants that were allowed them, and for services that have the models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from app.api.result_view import result_view
from app.database.transactions import tenant_transaction
from app.domain.job_options import JobOptions
from app.domain.job_request import ItemRequest
from app.domain.request_errors import AttributesNotAllowed
from app.domain.states import Operation
from app.queries.items import list_items
from app.services.tenancy.tenants import allow_attributes
from tests.factories.outcomes import outcome
from tests.factories.tenant_world import TenantWorld
from tests.factories.worker_steps import begun, detect_job, store

pytestmark = pytest.mark.stack

ASKED = JobOptions(attributes=("age", "emotion"))
ESTIMATE = {"age": 41.5, "models": {"age": "Age@0123456789ab"}}


def test_a_tenant_may_not_ask_unless_it_was_allowed_to(world: TenantWorld) -> None:
    with pytest.raises(AttributesNotAllowed) as refused:
        world.submit(Operation.DETECT, ItemRequest("a", world.uri("a.jpg")), options=ASKED)

    assert (refused.value.status, refused.value.code) == (403, "attributes_not_allowed")
    assert refused.value.errors[0].pointer == "/options/attributes"


def test_the_operator_allows_it_by_a_command_and_takes_it_back(
    world: TenantWorld, app: Flask
) -> None:
    command = ["tenants", "allow-attributes", str(world.tenant_id)]
    item = ItemRequest("a", world.uri("a.jpg"))

    assert app.test_cli_runner().invoke(args=command).exit_code == 0
    world.submit(Operation.DETECT, item, options=ASKED)

    assert app.test_cli_runner().invoke(args=[*command, "--off"]).exit_code == 0
    with pytest.raises(AttributesNotAllowed):
        world.submit(Operation.DETECT, item, options=ASKED)


def test_another_tenant_is_not_allowed_by_that(world: TenantWorld) -> None:
    allow_attributes(TenantWorld.create().tenant_id, allowed=True)

    with pytest.raises(AttributesNotAllowed):
        world.submit(Operation.DETECT, ItemRequest("a", world.uri("a.jpg")), options=ASKED)


@pytest.mark.usefixtures("workers")
def test_without_a_model_asking_fails_the_item(world: TenantWorld, portraits: Path) -> None:
    allow_attributes(world.tenant_id, allowed=True)
    photo = world.put("obama.jpg", (portraits / "obama.jpg").read_bytes())

    job = world.run(Operation.DETECT, ItemRequest("a", photo), options=ASKED)

    item = world.items(job.id)["a"]
    assert (item.state, item.error_code) == ("failed", "attributes_unavailable")


@pytest.mark.usefixtures("parked")
def test_what_was_estimated_is_stored_and_shown(world: TenantWorld) -> None:
    lease = begun(detect_job(world, 2))
    plain = outcome(0)
    assert plain.image is not None
    faces = (replace(plain.image.faces[0], attributes=ESTIMATE),)

    store(lease, replace(plain, image=replace(plain.image, faces=faces)), outcome(1))

    job = world.job(lease.shard.job_id)
    with tenant_transaction(world.tenant_id) as session:
        shown = [
            result_view(job, result)
            for result in list_items(session, world.tenant_id, job.id, limit=10)
        ]
    assert shown[0]["faces"][0]["attributes"] == ESTIMATE
    assert "attributes" not in shown[1]["faces"][0]
