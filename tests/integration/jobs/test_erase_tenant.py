"""A tenant is erased with everything that it owns, and no other loses anything."""

from __future__ import annotations

from uuid import UUID

import pytest
from click.testing import Result
from flask import Flask, current_app
from sqlalchemy import text

from app.adapters.s3 import ObjectStore
from app.database.base import db
from app.database.transactions import owner_transaction
from app.domain.actor import SYSTEM
from app.domain.item_errors import (
    ImageNotFound,
    StorageUnavailable,
)
from app.domain.job_request import ItemRequest
from app.domain.lease import ShardRef
from app.domain.request_errors import (
    Conflict,
    NotFound,
    Unauthenticated,
)
from app.domain.states import Operation
from app.domain.storage import ObjectLocation
from app.services.jobs.cancel_job import cancel_job
from app.services.jobs.erase_tenant import erase_tenant
from app.services.tenancy.authentication import authenticate
from app.services.tenancy.uploads import upload_image
from app.services.webhooks.endpoints import NewEndpoint, create_endpoint
from tests.factories.images import png
from tests.factories.tenant_world import TenantWorld
from tests.factories.tenants import make_key
from tests.factories.worker_steps import begun, found, store

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("parked")]

# Who did what stays on record, and what a restored backup must forget again: ids, and nothing else
# of the erased rows.
KEPT = {"audit_events", "erasure_ledger"}


@pytest.fixture
def busy(world: TenantWorld) -> TenantWorld:
    """A tenant with a finished enrolment, an upload, a key, an endpoint and its delivery."""
    make_key(world.tenant_id)
    upload_image(world.tenant_id, png(), SYSTEM)
    endpoint = NewEndpoint("https://example.org/hook", ("job.succeeded",))
    create_endpoint(world.tenant_id, endpoint, SYSTEM)
    item = ItemRequest("a", world.uri("a.jpg"), subject="someone")
    collection = world.collection()
    job_id = world.submit(Operation.ENROL, item, collection_id=collection)
    store(begun(ShardRef(job_id, 0)), *found(0))
    return world


def tables_with_rows(tenant_id: UUID) -> set[str]:
    owned = [t.name for t in db.metadata.sorted_tables if "tenant_id" in t.columns]
    with owner_transaction() as session:
        return {
            table
            for table in owned
            if session.execute(
                text(f"SELECT count(*) FROM {table} WHERE tenant_id = :id"), {"id": tenant_id}
            ).scalar_one()
        }


def test_nothing_is_left_but_the_record_of_who_did_what(busy: TenantWorld) -> None:
    expected = {"faces", "face_vectors_128", "jobs", "items", "shards", "detections", "images"}
    expected |= {"api_keys", "webhook_deliveries", "storage_locations", "subjects"}
    assert expected <= tables_with_rows(busy.tenant_id)

    erased = erase_tenant(busy.tenant_id)

    assert tables_with_rows(busy.tenant_id) == KEPT
    assert (erased.faces, erased.jobs, erased.uploads) == (1, 1, 1)


def test_the_erasure_itself_is_on_record(busy: TenantWorld) -> None:
    erase_tenant(busy.tenant_id)

    with owner_transaction() as session:
        query = "SELECT detail FROM audit_events WHERE tenant_id = :id AND action = 'tenant.erased'"
        (row,) = session.execute(text(query), {"id": busy.tenant_id})
    assert row.detail == {"faces": 1, "jobs": 1, "uploads": 1}


def test_the_uploads_are_gone_and_those_of_another_tenant_stay(busy: TenantWorld) -> None:
    other = TenantWorld.create()
    images = [upload_image(each.tenant_id, png(), SYSTEM) for each in (busy, other)]
    gone, kept = (ObjectLocation.parse(image.uri) for image in images)

    erase_tenant(busy.tenant_id)

    objects = ObjectStore.from_settings(current_app.config["SETTINGS"])
    with pytest.raises(ImageNotFound):
        objects.read(gone)
    assert objects.read(kept)
    assert "images" in tables_with_rows(other.tenant_id)


def test_more_uploads_than_a_call_to_s3_takes_are_all_gone(world: TenantWorld) -> None:
    objects = ObjectStore.from_settings(current_app.config["SETTINGS"])
    prefix = ObjectLocation(world.bucket, f"many/{world.tenant_id}/")
    for number in range(1001):
        objects.write(ObjectLocation(prefix.bucket, f"{prefix.key}{number}"), b"x", "text/plain")

    assert objects.delete_below(prefix) == 1001
    assert objects.delete_below(prefix) == 0


def test_nothing_is_erased_while_jobs_have_not_ended(busy: TenantWorld) -> None:
    key = make_key(busy.tenant_id)
    jobs = [busy.submit(Operation.DETECT, ItemRequest("a", busy.uri("a.jpg"))) for _ in range(2)]
    before = tables_with_rows(busy.tenant_id)

    with pytest.raises(Conflict, match=r"not ended: 2\. Cancel them"):
        erase_tenant(busy.tenant_id)

    assert tables_with_rows(busy.tenant_id) == before
    assert authenticate(key).tenant_id == busy.tenant_id
    for job_id in jobs:
        cancel_job(busy.tenant_id, job_id, SYSTEM)
    assert erase_tenant(busy.tenant_id).jobs == 3


def test_while_s3_is_away_rows_stay_and_no_key_works(
    busy: TenantWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make_key(busy.tenant_id)

    def away(*_: object) -> int:
        raise StorageUnavailable("S3 does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(ObjectStore, "delete_below", away)
        with pytest.raises(StorageUnavailable):
            erase_tenant(busy.tenant_id)

    assert "faces" in tables_with_rows(busy.tenant_id)
    with pytest.raises(Unauthenticated):
        authenticate(key)
    erase_tenant(busy.tenant_id)
    assert tables_with_rows(busy.tenant_id) == KEPT


def test_an_unknown_tenant_is_not_found(busy: TenantWorld) -> None:
    erase_tenant(busy.tenant_id)

    with pytest.raises(NotFound):
        erase_tenant(busy.tenant_id)


def run(app: Flask, *arguments: object, answer: str | None = None) -> Result:
    words = ["tenants", "erase", *map(str, arguments)]
    return app.test_cli_runner().invoke(args=words, input=answer)


def test_the_command_asks_before_it_erases(app: Flask, busy: TenantWorld) -> None:
    assert run(app, busy.tenant_id, answer="n\n").exit_code == 1
    assert "faces" in tables_with_rows(busy.tenant_id)

    result = run(app, busy.tenant_id, answer="y\n")

    assert result.exit_code == 0
    assert result.stdout.endswith("; faces: 1, jobs: 1, uploads: 1\n")
    assert tables_with_rows(busy.tenant_id) == KEPT


def test_the_command_with_yes_asks_nothing(app: Flask, busy: TenantWorld) -> None:
    assert run(app, busy.tenant_id, "--yes").exit_code == 0
    assert tables_with_rows(busy.tenant_id) == KEPT


def test_what_the_command_refuses_is_one_clear_line(app: Flask, busy: TenantWorld) -> None:
    busy.submit(Operation.DETECT, ItemRequest("a", busy.uri("a.jpg")))

    result = run(app, busy.tenant_id, "--yes")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: Jobs of the tenant that have not ended: 1. Cancel them")
    assert result.stderr.count("\n") == 1
