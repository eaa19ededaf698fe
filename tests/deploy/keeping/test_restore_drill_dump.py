"""The drill by dump: a database is destroyed, and what is restored answers as before."""

from __future__ import annotations

import subprocess

import pytest
from sqlalchemy import text

from app.database.transactions import owner_transaction
from app.domain.actor import SYSTEM
from app.domain.job_request import ItemRequest
from app.domain.lease import ShardRef
from app.domain.request_errors import Unauthenticated
from app.domain.states import Operation
from app.services.gallery.collections import delete_collection
from app.services.gallery.faces import delete_face
from app.services.gallery.subjects import delete_subject
from app.services.jobs.delete_job import delete_job
from app.services.jobs.erase_tenant import erase_tenant
from app.services.tenancy.api_keys import withdraw_api_key
from app.services.tenancy.authentication import authenticate
from tests.deploy.keeping.installation import Installation
from tests.deploy.keeping.living_world import LivingWorld
from tests.factories.galleries import make_collection, make_face, make_subject
from tests.factories.tenant_world import TenantWorld
from tests.factories.worker_steps import begun, found, store

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("keeping")]


def test_a_destroyed_database_comes_back_with_the_same_answers_and_its_jobs_go_on(
    installation: Installation,
) -> None:
    with installation.application():
        living = LivingWorld.create()
        before = living.answers()
    installation.back_up()
    with installation.application():
        late = make_subject(living.collection)
        make_face(living.collection, late)
        assert living.answers() != before

    installation.destroy()
    told = installation.done("restore_database.sh", "latest")

    with installation.application():
        assert living.answers() == before
        assert late.id not in living.found_people()
        assert living.finish_job() == "succeeded"
        assert living.world.job(living.job_id).succeeded_items == 300
    assert "rows and searches are as in its manifest" in told


def test_a_restored_database_forgets_again_what_was_erased_after_the_dump(
    installation: Installation,
) -> None:
    with installation.application():
        living, gone = LivingWorld.create(), TenantWorld.create()
        tenant = living.tenant_id
        erased, bereft = living.people[:2]
        other = make_collection(tenant)
        old_job = living.world.submit(Operation.DETECT, ItemRequest("a", living.world.uri("a")))
        key = authenticate(living.key)
        [face] = living.world.query(
            "SELECT id FROM faces WHERE subject_id = :id ORDER BY id LIMIT 1", id=bereft.id
        )
    installation.back_up()
    with installation.application():
        delete_subject(tenant, living.collection.id, erased.id, SYSTEM)
        delete_face(tenant, living.collection.id, face.id, SYSTEM)
        delete_collection(tenant, other.id, SYSTEM)
        store(begun(ShardRef(old_job, 0)), *found(0))
        delete_job(tenant, old_job, SYSTEM)
        withdraw_api_key(tenant, key.key_id)
        erase_tenant(gone.tenant_id)
    installation.done("export_erasures.sh")

    installation.destroy()
    told = installation.done("restore_database.sh", "latest")

    assert "6 erasures repeated" in told
    with installation.application():
        left = living.found_people()
        assert erased.id not in left
        assert bereft.id in left
        assert living.world.query("SELECT FROM faces WHERE id = :id", id=face.id) == []
        assert living.world.query("SELECT FROM collections WHERE id = :id", id=other.id) == []
        assert living.world.query("SELECT FROM jobs WHERE id = :id", id=old_job) == []
        assert living.answers()["faces"] == 60 - 3 - 1
        with pytest.raises(Unauthenticated):
            authenticate(living.key)
    assert installation.ask("SELECT id FROM tenants") == [(str(tenant),)]


def test_what_a_job_would_enrol_again_after_the_restore_stays_erased(
    installation: Installation,
) -> None:
    with installation.application():
        living = LivingWorld.create()
        world, collection = living.world, living.collection
        item = ItemRequest("late", world.uri("late.jpg"), subject="somebody")
        job = world.submit(Operation.ENROL, item, collection_id=collection.id)
    installation.back_up()
    with installation.application():
        store(begun(ShardRef(job, 0)), *found(0))
        [face] = world.query("SELECT id FROM faces WHERE job_id = :id", id=job)
        delete_face(world.tenant_id, collection.id, face.id, SYSTEM)
    installation.done("export_erasures.sh")

    installation.destroy()
    installation.done("restore_database.sh", "latest")

    with installation.application():
        store(begun(ShardRef(job, 0)), *found(0))
        assert world.items(job)["late"].error_code == "subject_deleted"
        assert world.query("SELECT FROM faces WHERE job_id = :id", id=job) == []


def test_a_former_database_that_still_answers_tells_what_was_erased(
    installation: Installation,
) -> None:
    with installation.application():
        living = LivingWorld.create()
    installation.back_up()
    with installation.application():
        delete_subject(living.tenant_id, living.collection.id, living.people[0].id, SYSTEM)

    told = installation.done("restore_database.sh", "--yes", "latest")

    assert "1 erasures repeated" in told
    with installation.application():
        assert living.people[0].id not in living.found_people()
    [(aside,)] = installation.ask(
        f"SELECT datname FROM pg_database WHERE datname LIKE '{installation.database}_before_%'",
        "postgres",
    )
    assert f'the former database is now "{aside}"' in told


def test_a_restore_that_cannot_know_what_was_erased_asks_first(
    installation: Installation,
) -> None:
    with installation.application():
        LivingWorld.create()
    backup = installation.back_up()
    for path in (installation.backups / "erasures").iterdir():
        path.unlink()
    installation.destroy()

    refused = installation.run("restore_database.sh", str(backup))

    assert refused.returncode == 3
    assert "--accept-unknown-erasures" in refused.stderr
    assert installation.done("restore_database.sh", str(backup), "--accept-unknown-erasures")


def test_a_database_with_tables_is_not_overwritten_unasked(installation: Installation) -> None:
    backup = installation.back_up()

    refused = installation.run("restore_database.sh", str(backup))

    assert refused.returncode == 3
    assert "--yes sets it aside" in refused.stderr


def test_a_restore_waits_for_no_service_that_still_writes(installation: Installation) -> None:
    backup = installation.back_up()
    with installation.application() as app, app.app_context(), owner_transaction() as session:
        session.execute(text("SELECT 1"))

        refused = installation.run("restore_database.sh", "--yes", str(backup))

    assert refused.returncode == 3
    assert "is in use by facequeue_owner" in refused.stderr
    assert "systemctl stop facequeue.target" in refused.stderr


@pytest.mark.parametrize("name", ["facequeue.dump", "manifest.json"])
def test_a_damaged_backup_is_refused_before_anything_is_done(
    installation: Installation, name: str
) -> None:
    backup = installation.back_up()
    whole = (backup / name).read_bytes()
    (backup / name).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))

    refused = installation.run("restore_database.sh", "--yes", str(backup))

    assert refused.returncode == 1
    assert f"{name} is damaged" in refused.stderr


def test_a_restore_that_lacks_rows_leaves_the_database_as_it_was(
    installation: Installation,
) -> None:
    with installation.application():
        living = LivingWorld.create()
        before = living.answers()
    backup = installation.back_up()
    manifest = (backup / "manifest.json").read_text()
    (backup / "manifest.json").write_text(manifest.replace('"faces": 60', '"faces": 61'))
    sums = "sha256sum facequeue.dump schema.sql roles.sql manifest.json > SHA256SUMS"
    subprocess.run(["sh", "-c", sums], cwd=backup, check=True)  # noqa: S603, S607 - a constant

    failed = installation.run("restore_database.sh", "--yes", str(backup))

    assert failed.returncode == 1
    assert "faces has 60 rows, not 61" in failed.stderr
    with installation.application():
        assert living.answers() == before


@pytest.mark.parametrize(("name", "status"), [("latest", 0), ("20000101T000000Z", 3)])
def test_services_are_stopped_for_a_restore_and_started_again(
    installation: Installation, name: str, status: int
) -> None:
    installation.back_up()
    stopped, started = installation.folder / "stopped", installation.folder / "started"

    done = installation.run(
        "restore_database.sh",
        *("--yes", "--stop", f"touch '{stopped}'", "--start", f"mv '{stopped}' '{started}'", name),
    )

    assert done.returncode == status
    assert started.exists() == (status == 0)  # what is refused at once stops nothing
    assert not stopped.exists()


def test_services_are_started_again_after_a_restore_that_failed(
    installation: Installation,
) -> None:
    backup = installation.back_up()
    for path in (installation.backups / "erasures").iterdir():
        path.unlink()
    installation.destroy()
    stopped, started = installation.folder / "stopped", installation.folder / "started"

    refused = installation.run(
        "restore_database.sh",
        *("--stop", f"touch '{stopped}'", "--start", f"mv '{stopped}' '{started}'", str(backup)),
    )

    assert refused.returncode == 3
    assert started.exists()
