"""What operators do from a command line is on record, with who did it."""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import Row

from app.domain.actor import SYSTEM
from app.domain.identifiers import new_id
from app.domain.job_request import ItemRequest
from app.domain.states import Operation
from app.services.webhooks.endpoints import NewEndpoint, create_endpoint
from tests.factories.tenant_world import TenantWorld
from tests.factories.tenants import make_key
from tests.integration.audit.conftest import Log

pytestmark = pytest.mark.stack

Run = Callable[..., str]


@pytest.fixture
def run(app: Flask) -> Run:
    def invoke(*arguments: object) -> str:
        result = app.test_cli_runner().invoke(args=[str(argument) for argument in arguments])
        assert result.exit_code == 0, result.output
        return result.stdout.strip()

    return invoke


@pytest.fixture
def world(app: Flask) -> TenantWorld:
    del app
    return TenantWorld.create()


def newest(tenant_id: UUID) -> Row[Any]:
    return Log(tenant_id).rows()[-1]


def by_this_user(event: Row[Any]) -> bool:
    user = pwd.getpwuid(os.getuid()).pw_name
    return (event.actor_name, event.actor_address) == (user, socket.gethostname())


def _create_tenant(run: Run, world: TenantWorld) -> UUID:
    del world
    return UUID(run("tenants", "create", f"tenant {uuid4()}"))


def _allow_attributes(run: Run, world: TenantWorld) -> UUID:
    run("tenants", "allow-attributes", world.tenant_id)
    return world.tenant_id


def _limit(run: Run, world: TenantWorld) -> UUID:
    run("tenants", "limits", world.tenant_id, "--jobs-in-flight", 5)
    return world.tenant_id


def _allow_bucket(run: Run, world: TenantWorld) -> UUID:
    run("buckets", "allow", "--tenant", world.tenant_id, "s3://photos/")
    return world.tenant_id


def _deny_bucket(run: Run, world: TenantWorld) -> UUID:
    place = f"s3://{world.bucket}/{world.tenant_id}"
    run("buckets", "deny", "--tenant", world.tenant_id, place)
    return world.tenant_id


def _create_key(run: Run, world: TenantWorld) -> UUID:
    words = ("--tenant", world.tenant_id, "--name", "n", "--scopes", "admin")
    run("api-keys", "create", *words)
    return world.tenant_id


def _revoke_key(run: Run, world: TenantWorld) -> UUID:
    make_key(world.tenant_id)
    key_id = run("api-keys", "list", "--tenant", world.tenant_id).split("\t")[0]
    run("api-keys", "revoke", "--tenant", world.tenant_id, key_id)
    return world.tenant_id


def _redrive(run: Run, world: TenantWorld) -> UUID:
    job_id = world.submit(Operation.DETECT, ItemRequest("a", world.uri("a.jpg")))
    letter = new_id()
    Log(world.tenant_id).query(
        "INSERT INTO dead_letters (id, tenant_id, job_id, item_seq, image_uri, code, reason) "
        "VALUES (:id, :tenant, :job, 0, 's3://a/b', 'worker_crashed', 'r')",
        id=letter,
        job=job_id,
    )
    run("dead-letters", "redrive", letter)
    return world.tenant_id


def _redrive_job(run: Run, world: TenantWorld) -> UUID:
    run("jobs", "redrive", world.submit(Operation.DETECT, ItemRequest("a", "s3://other/a.jpg")))
    return world.tenant_id


def _reseal(run: Run, world: TenantWorld) -> UUID:
    create_endpoint(world.tenant_id, NewEndpoint("https://example.org/"), SYSTEM)
    run("webhook-secrets", "reseal")
    return world.tenant_id


@pytest.mark.parametrize(
    ("act", "action"),
    [
        (_create_tenant, "tenant.created"),
        (_allow_attributes, "tenant.attributes_allowed"),
        (_limit, "tenant.limits_changed"),
        (_allow_bucket, "storage_location.allowed"),
        (_deny_bucket, "storage_location.denied"),
        (_create_key, "api_key.created"),
        (_revoke_key, "api_key.revoked"),
        (_redrive, "dead_letter.redriven"),
        (_redrive_job, "job.redriven"),
        (_reseal, "webhook_secrets.resealed"),
    ],
)
def test_a_command_leaves_an_event_with_the_operator(
    run: Run, world: TenantWorld, act: Callable[[Run, TenantWorld], UUID], action: str
) -> None:
    event = newest(act(run, world))

    assert event.action == action
    assert event.actor_key_id is None
    assert by_this_user(event)


def test_who_came_with_sudo_is_named_too(
    run: Run, world: TenantWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "alice")

    event = newest(_allow_attributes(run, world))

    assert event.actor_name == f"alice as {pwd.getpwuid(os.getuid()).pw_name}"


def test_what_the_system_does_by_itself_has_no_name(world: TenantWorld) -> None:
    world.submit(Operation.DETECT, ItemRequest("a", world.uri("a.jpg")))

    event = newest(world.tenant_id)

    assert (event.actor_name, event.actor_address) == (None, None)


def test_a_changed_limit_is_told_with_its_amount_and_a_look_leaves_nothing(
    run: Run, world: TenantWorld
) -> None:
    command = ("tenants", "limits", world.tenant_id)
    run(*command, "--jobs-in-flight", 5, "--default", "storage_bytes")
    run(*command)

    rows = [r for r in Log(world.tenant_id).rows() if r.action == "tenant.limits_changed"]
    assert [row.detail for row in rows] == [{"jobs_in_flight": 5, "storage_bytes": None}]


def test_allowing_what_is_allowed_leaves_no_second_event(run: Run, world: TenantWorld) -> None:
    for _ in range(2):
        _allow_bucket(run, world)

    actions = [row.action for row in Log(world.tenant_id).rows()]
    assert actions.count("storage_location.allowed") == 2  # the world's own place, and this one
