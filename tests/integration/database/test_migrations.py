"""The schema: forwards, backwards and forwards again, and the same as the models say."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import Row, create_engine
from sqlalchemy.exc import ProgrammingError

from app import create_app
from app.config import Settings, load_settings
from app.domain.identifiers import new_id
from app.domain.job_request import ItemRequest
from app.domain.names import Scope
from app.domain.states import Operation
from app.services.tenancy.api_keys import NewKey, issue_api_key
from scripts.stack.databases import drop_database, empty_database, environment_of
from scripts.stack.state import State
from tests.factories.tenant_world import TenantWorld

pytestmark = pytest.mark.stack


@pytest.fixture
def bare_app(services: State, settings: Settings, slot: int) -> Iterator[Flask]:
    """An application on a database that has roles and the extension, but no tables."""
    name = f"facequeue_migrations_{slot}"
    empty_database(services, name)
    urls = environment_of(services, name)
    overrides = {key.lower(): value for key, value in urls.items() if key.startswith("DATABASE_")}
    app = create_app(load_settings(**(settings.model_dump() | overrides)))
    with app.app_context():
        yield app
    drop_database(services, name)


def test_migrations_run_up_down_and_up_again_and_match_the_models(bare_app: Flask) -> None:
    upgrade()
    assert "jobs" in tables(bare_app)

    downgrade(revision="base")
    assert tables(bare_app) <= {"alembic_version"}

    upgrade()
    check()


@pytest.mark.usefixtures("bare_app")
def test_the_newest_migration_goes_back_and_forth_over_rows() -> None:
    upgrade()
    world = TenantWorld.create()
    job_id = world.submit(Operation.DETECT, ItemRequest("a", world.uri("a.jpg")))

    downgrade()
    upgrade()

    assert world.job(job_id).open_items == 1
    check()


def test_all_migrations_go_back_over_rows(bare_app: Flask) -> None:
    upgrade()
    world = TenantWorld.create()
    world.collection()
    world.submit(Operation.DETECT, ItemRequest("a", world.uri("a.jpg")))

    downgrade(revision="base")

    assert tables(bare_app) <= {"alembic_version"}


def test_vectors_get_the_space_of_their_collections_model_and_lose_it_again(
    bare_app: Flask,
) -> None:
    upgrade(revision="0013")
    faces = enrol_as_before_spaces(bare_app)

    upgrade()

    check()
    spaces = "SELECT space, count(*) AS faces FROM face_vectors_128 GROUP BY space"
    assert rows(bare_app, spaces) == [("A@1", faces), ("B@1", faces)]
    assert rows(bare_app, "SELECT name, space FROM collections") == [("A", "A@1"), ("B", "B@1")]

    again = (
        "INSERT INTO face_vectors_128 SELECT face_id, tenant_id, collection_id, embedding, 'C@1'"
    )
    rows(bare_app, f"{again} FROM face_vectors_128 LIMIT 3 RETURNING face_id")
    downgrade(revision="0013")

    assert rows(bare_app, "SELECT count(*) FROM face_vectors_128") == [(2 * faces,)]
    upgrade()
    assert rows(bare_app, spaces) == [("A@1", faces), ("B@1", faces)]


def test_an_upgrade_that_was_cut_short_goes_on(bare_app: Flask) -> None:
    upgrade(revision="0013")
    faces = enrol_as_before_spaces(bare_app)
    rows(bare_app, "ALTER TABLE face_vectors_128 ADD COLUMN space text; SELECT 1")
    rows(bare_app, "CREATE TABLE vector_changes (); SELECT 1")  # in the way of the last step
    with pytest.raises(ProgrammingError, match="already exists"):
        upgrade()

    rows(bare_app, "DROP TABLE vector_changes; SELECT 1")
    upgrade()

    check()
    assert rows(bare_app, "SELECT count(*) FROM face_vectors_128") == [(2 * faces,)]


def test_the_version_before_goes_on_making_collections(bare_app: Flask) -> None:
    upgrade()
    tenant = TenantWorld.create().tenant_id

    made = rows(bare_app, NEW_COLLECTION.format(tenant=tenant, name="A"))

    assert rows(bare_app, "SELECT id, space FROM collections") == [(made[0][0], "A@1")]


def test_the_errors_of_jobs_that_have_ended_are_counted(bare_app: Flask) -> None:
    upgrade(revision="0017")
    tenant = TenantWorld.create().tenant_id
    ((ended,),) = rows(bare_app, ENDED_JOB.format(tenant=tenant))
    rows(bare_app, FAILED_ITEMS.format(tenant=tenant, job=ended))

    upgrade()

    counted = rows(bare_app, "SELECT errors_by_code FROM jobs")
    assert counted == [({"no_face": 2, "image_corrupt": 1},)]


def test_external_ids_get_their_composed_form_unless_another_has_it(
    bare_app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    upgrade(revision="0019")
    tenant = TenantWorld.create().tenant_id
    ((taken,),) = rows(bare_app, NEW_COLLECTION.format(tenant=tenant, name="A"))
    ((free,),) = rows(bare_app, NEW_COLLECTION.format(tenant=tenant, name="B"))
    add_subjects(bare_app, tenant, taken, COMPOSED, DECOMPOSED)
    add_subjects(bare_app, tenant, free, DECOMPOSED, UNORDERED, TOO_LONG)

    upgrade()

    found = "SELECT external_id FROM subjects WHERE collection_id = '{}'"
    assert rows(bare_app, found.format(taken)) == [(DECOMPOSED,), (COMPOSED,)]
    assert rows(bare_app, found.format(free)) == [(COMPOSED,), (TOO_LONG,), (UNORDERED_NORMAL,)]
    left = rows(bare_app, "SELECT id FROM subjects WHERE external_id IS NOT NFC NORMALIZED")
    (warning,) = [one.getMessage() for one in caplog.records if "subjects: 2" in one.getMessage()]
    assert all(str(row.id) in warning for row in left)
    assert DECOMPOSED not in warning


def test_of_two_that_become_one_the_older_gets_the_name(bare_app: Flask) -> None:
    upgrade(revision="0019")
    tenant = TenantWorld.create().tenant_id
    ((collection,),) = rows(bare_app, NEW_COLLECTION.format(tenant=tenant, name="A"))
    variants = ("a\u0323\u0302", "a\u0302\u0323")  # neither is \u1ead, both look like it
    add_subjects(bare_app, tenant, collection, *variants)

    upgrade()

    named = "SELECT external_id FROM subjects"
    assert rows(bare_app, named) == [(variants[1],), ("\u1ead",)]


def test_names_of_tenants_collections_and_keys_get_their_composed_form(bare_app: Flask) -> None:
    upgrade(revision="0019")
    tenant = TenantWorld.create().tenant_id
    rows(bare_app, NEW_COLLECTION.format(tenant=tenant, name=DECOMPOSED))
    rows(bare_app, f"UPDATE tenants SET name = '{DECOMPOSED}' RETURNING id")

    upgrade()

    for table in ("collections", "tenants"):
        assert rows(bare_app, f"SELECT name FROM {table}") == [(COMPOSED,)]


def test_vectors_beside_results_are_emptied_and_what_is_cut_short_goes_on(bare_app: Flask) -> None:
    upgrade(revision="0018")
    tenant, results = TenantWorld.create().tenant_id, 12000  # more than two batches of it
    rows(bare_app, NEW_RESULTS.format(tenant=tenant, results=results))
    rows(bare_app, "CREATE TABLE erasures (); SELECT 1")  # in the way of the last step
    with pytest.raises(ProgrammingError, match="already exists"):
        upgrade()

    left = "SELECT count(*), count(embedding) FROM detections"
    assert rows(bare_app, left) == [(results, 0)]

    rows(bare_app, "DROP TABLE erasures; SELECT 1")
    upgrade()

    check()
    assert rows(bare_app, INVALID_INDEXES) == []


def test_a_deleted_job_does_not_come_back_with_the_version_before(bare_app: Flask) -> None:
    upgrade()
    world = TenantWorld.create()
    gone, kept = (
        world.submit(Operation.DETECT, ItemRequest("a", world.uri("a.jpg"))) for _ in range(2)
    )
    rows(bare_app, f"UPDATE jobs SET deleted_at = now() WHERE id = '{gone}' RETURNING id")

    downgrade(revision="0018")

    assert rows(bare_app, "SELECT id FROM jobs") == [(kept,)]
    assert rows(bare_app, "SELECT job_id FROM items") == [(kept,)]


def test_faces_learn_from_which_place_they_came_where_their_job_is_still_there(
    bare_app: Flask,
) -> None:
    upgrade(revision="0020")
    ((tenant,),) = rows(bare_app, NEW_TENANT)
    ((collection,),) = rows(bare_app, COLLECTION_WITH_SPACE.format(tenant=tenant))
    rows(bare_app, NEW_FACES.format(tenant=tenant, collection=collection, faces=6000))
    ((face, job),) = rows(bare_app, "SELECT id, job_id FROM faces ORDER BY id DESC LIMIT 1")
    rows(bare_app, ITEM_OF_PLACE.format(tenant=tenant, job=job, place=COMPOSED))
    rows(bare_app, "ALTER TABLE faces ADD COLUMN place_sha256 bytea; SELECT 1")  # was cut short

    upgrade()

    known = rows(bare_app, "SELECT id, place_sha256 FROM faces WHERE place_sha256 IS NOT NULL")
    assert [(row.id, bytes(row.place_sha256)) for row in known] == [
        (face, sha256(COMPOSED.encode()).digest())
    ]
    check()
    assert rows(bare_app, INVALID_INDEXES) == []


def test_a_key_with_a_list_of_addresses_ends_with_the_version_before(bare_app: Flask) -> None:
    upgrade()
    tenant = TenantWorld.create().tenant_id
    for addresses in (("192.0.2.0/24",), None):
        issue_api_key(tenant, NewKey("n", [Scope.ADMIN], None, False, addresses))

    downgrade(revision="0022")

    assert rows(bare_app, "SELECT revoked_at IS NOT NULL FROM api_keys") == [(False,), (True,)]


def test_usage_of_the_jobs_and_attempts_that_are_kept_is_noted(bare_app: Flask) -> None:
    upgrade(revision="0026")
    ((tenant,),) = rows(bare_app, NEW_TENANT)
    rows(bare_app, USED_JOBS.format(tenant=tenant, jobs=600))  # more than a batch
    rows(bare_app, ATTEMPTS.format(tenant=tenant))

    upgrade()

    noted = """
SELECT operation, outcome, sum(images)::int, sum(faces)::int, sum(webhooks)::int,
  count(DISTINCT noted_at::date)::int
FROM usage_entries GROUP BY 1, 2"""
    assert rows(bare_app, noted) == [
        ("identify", "canceled", 600, 0, 0, 1),
        ("identify", "failed", 600, 0, 0, 1),
        ("identify", "succeeded", 600, 1200, 0, 1),
        ("webhook", "failed", 0, 0, 1, 1),
        ("webhook", "succeeded", 0, 0, 2, 1),
    ]
    downgrade(revision="0026")
    assert not {"usage_entries", "usage_days"} & tables(bare_app)
    upgrade()
    assert len(rows(bare_app, noted)) == 5


def test_the_head_is_written_down_so_that_two_branches_cannot_both_add_one() -> None:
    folder = Path("migrations")
    revisions = sorted(path.name.split("_")[0] for path in folder.glob("versions/0*.py"))

    assert (folder / ".current-alembic-head").read_text().strip() == revisions[-1]


def tables(app: Flask) -> set[str]:
    names = rows(app, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {row.tablename for row in names}


def rows(app: Flask, statement: str) -> list[Row[Any]]:
    """What a statement of the owner returns, in order; it is committed."""
    engine = create_engine(app.config["SETTINGS"].database_owner_url)
    with engine.begin() as connection:
        found = sorted(connection.exec_driver_sql(statement))
    engine.dispose()
    return found


# As the version before codes were counted leaves them.
ENDED_JOB = """
INSERT INTO jobs (id, tenant_id, operation, state, priority, model, total_items, open_items,
  failed_items, finished_at, expires_at)
VALUES (gen_random_uuid(), '{tenant}', 'enrol', 'succeeded', 'bulk', 'm', 3, 0, 3, now(), now())
RETURNING id
"""
FAILED_ITEMS = """
INSERT INTO items (job_id, seq, tenant_id, custom_id, image_uri, state, error_code, finished_at)
SELECT '{job}', seq, '{tenant}', seq::text, '', 'failed',
  CASE WHEN seq = 0 THEN 'image_corrupt' ELSE 'no_face' END, now() FROM generate_series(0, 2) AS seq
RETURNING seq
"""

# Three items each: one of two faces, one that failed, one that was canceled.
USED_JOBS = """
WITH job AS (
  INSERT INTO jobs (id, tenant_id, operation, state, priority, model, total_items, open_items,
    succeeded_items, failed_items, canceled_items, finished_at, expires_at)
  SELECT gen_random_uuid(), '{tenant}', 'identify', 'canceled', 'bulk', 'm', 3, 0, 1, 1, 1,
    '2026-01-02T12:00:00Z', now() FROM generate_series(1, {jobs}) RETURNING id
), item AS (
  INSERT INTO items (job_id, seq, tenant_id, custom_id, image_uri, state, error_code, finished_at)
  SELECT id, seq, '{tenant}', seq::text, '', CASE seq WHEN 0 THEN 'succeeded' ELSE 'failed' END,
    CASE seq WHEN 1 THEN 'no_face' END, now() FROM job, generate_series(0, 1) AS seq
)
INSERT INTO detections (job_id, item_seq, face_no, tenant_id, box, landmarks, detection_confidence,
  quality)
SELECT id, 0, face, '{tenant}', '{{0,0,1,1}}', array_fill(0, ARRAY[10]), 1, 1
FROM job, generate_series(0, 1) AS face RETURNING face_no
"""
ATTEMPTS = """
WITH endpoint AS (
  INSERT INTO webhook_endpoints (id, tenant_id, url, events, secret_encrypted)
  VALUES (gen_random_uuid(), '{tenant}', 'https://example.org', '{{job.failed}}', '') RETURNING id
), delivery AS (
  INSERT INTO webhook_deliveries (id, tenant_id, endpoint_id, type, payload)
  SELECT gen_random_uuid(), '{tenant}', id, 'job.succeeded', '' FROM endpoint RETURNING id
)
INSERT INTO webhook_attempts (id, tenant_id, delivery_id, attempted_at, status_code, duration_ms)
SELECT gen_random_uuid(), '{tenant}', id, '2026-01-02T12:00:00Z', status, 1
FROM delivery, unnest(ARRAY[200, 204, NULL]) AS status RETURNING duration_ms
"""

COLLECTION_WITH_SPACE = """
INSERT INTO collections (id, tenant_id, name, model, space, dimensions, threshold)
VALUES (gen_random_uuid(), '{tenant}', 'A', 'A@1', 'A@1', 128, 0.5) RETURNING id
"""
ITEM_OF_PLACE = """
INSERT INTO items (job_id, seq, tenant_id, custom_id, image_uri)
VALUES ('{job}', 0, '{tenant}', 'a', '{place}') RETURNING seq
"""

# As the version before spaces makes them.
NEW_COLLECTION = """
INSERT INTO collections (id, tenant_id, name, model, dimensions, threshold)
VALUES (gen_random_uuid(), '{tenant}', '{name}', '{name}@1', 128, 0.5) RETURNING id
"""
NEW_FACES = """
WITH new AS (
  INSERT INTO faces (id, tenant_id, collection_id, image_sha256, face_no, box, quality, model,
    job_id, item_seq)
  SELECT gen_random_uuid(), '{tenant}', '{collection}', sha256(n::text::bytea), 0, '{{0,0,1,1}}', 1,
    'm', gen_random_uuid(), 0 FROM generate_series(1, {faces}) AS n RETURNING id
) SELECT id FROM new
"""
NEW_TENANT = """
INSERT INTO tenants (id, name)
VALUES (gen_random_uuid(), 'before spaces ' || gen_random_uuid()) RETURNING id
"""
NEW_RESULTS = """
WITH new AS (
  INSERT INTO detections (job_id, item_seq, face_no, tenant_id, box, landmarks,
    detection_confidence, quality, embedding)
  SELECT gen_random_uuid(), 0, 0, '{tenant}', '{{0,0,1,1}}', array_fill(0, ARRAY[10]), 1, 1, '[1,2]'
  FROM generate_series(1, {results}) RETURNING job_id
) SELECT job_id FROM new
"""
INVALID_INDEXES = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
NEW_VECTORS = """
INSERT INTO face_vectors_128 (face_id, tenant_id, collection_id, embedding)
SELECT id, tenant_id, collection_id, array_fill(1, ARRAY[128])::halfvec FROM faces RETURNING face_id
"""


COMPOSED, DECOMPOSED = "Jos\u00e9", "Jose\u0301"
UNORDERED, UNORDERED_NORMAL = "a\u0302\u0323", "\u1ead"
TOO_LONG = "\u0958" * 200  # its normal form has 400 characters


def add_subjects(app: Flask, tenant: UUID, collection: UUID, *external_ids: str) -> None:
    """People as the version before took them, oldest first."""
    for external_id in external_ids:
        rows(
            app,
            f"""
INSERT INTO subjects (id, tenant_id, collection_id, external_id)
VALUES ('{new_id()}', '{tenant}', '{collection}', '{external_id}') RETURNING id""",
        )


def enrol_as_before_spaces(app: Flask) -> int:
    """Two collections, together with more vectors than a batch of the migration fills.

    Returns how many faces each has.
    """
    faces = 3000
    ((tenant,),) = rows(app, NEW_TENANT)  # by SQL: our code speaks of columns that come later
    for name in ("A", "B"):
        ((collection,),) = rows(app, NEW_COLLECTION.format(tenant=tenant, name=name))
        rows(app, NEW_FACES.format(tenant=tenant, collection=collection, faces=faces))
    rows(app, NEW_VECTORS)
    return faces
