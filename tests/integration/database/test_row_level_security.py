"""What the database itself refuses, whatever the code above it does."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from app.database.base import db
from app.database.transactions import owner_transaction, queue_transaction, tenant_transaction
from app.domain.identifiers import new_id
from app.domain.job_request import ItemRequest
from app.domain.states import Operation
from tests.factories.tenant_world import TenantWorld

pytestmark = pytest.mark.stack

# No tenant's data: heartbeats, turns of chores, who follows the vectors, and buckets, which tenants
# share.
WITHOUT_TENANT = {"workers", "chore_turns", "vector_followers", "source_pauses", "alembic_version"}


TENANTS_TABLES = [t.name for t in db.metadata.sorted_tables if t.name not in WITHOUT_TENANT]

# What clients wrote, what is secret, and what is biometric.
PRIVATE = {
    *("embedding", "landmarks", "matches", "attributes", "custom_id", "external_id", "image_uri"),
    *("reference_uri", "metadata", "options", "payload", "url", "body", "detail", "key_hash"),
    *("secret_encrypted", "previous_secret_encrypted", "response_excerpt", "contact_email"),
}


@pytest.fixture
def world(app: Flask) -> TenantWorld:
    del app
    return TenantWorld.create()


def test_every_table_with_a_tenant_forces_row_level_security(app: Flask) -> None:
    del app
    with owner_transaction() as session:
        tables = session.execute(
            text("""
                SELECT relname, relrowsecurity AND relforcerowsecurity AS forced
                FROM pg_class WHERE relnamespace = 'public'::regnamespace
                  AND relkind IN ('r', 'p') AND NOT relispartition""")
        ).all()

    open_tables = {row.relname for row in tables if not row.forced}
    assert open_tables == WITHOUT_TENANT
    assert {table.name for table in db.metadata.sorted_tables} <= {row.relname for row in tables}


def test_every_table_with_a_tenant_has_these_policies_and_no_other(app: Flask) -> None:
    del app
    current = "(NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid"
    once_a_search = f'( SELECT {current} AS ""nullif"")'
    with owner_transaction() as session:
        policies = session.execute(
            text("""
                SELECT tablename AS name, array_agg(
                  (policyname, roles, permissive, cmd, qual, with_check)::text ORDER BY policyname
                ) AS found FROM pg_policies WHERE schemaname = 'public' GROUP BY tablename""")
        ).all()

    assert {table.name for table in policies} == set(TENANTS_TABLES)
    for table in policies:
        value = once_a_search if table.name.startswith("face_vectors_") else current
        tenant = f"({'id' if table.name == 'tenants' else 'tenant_id'} = {value})"
        everyone = [
            "(owner_all,{facequeue_owner},PERMISSIVE,ALL,true,true)",
            "(queue_all,{facequeue_queue},PERMISSIVE,ALL,true,true)",
            f'(tenant_only,{{facequeue_app}},PERMISSIVE,ALL,"{tenant}","{tenant}")',
        ]
        assert table.found in (everyone, [everyone[0], everyone[2]]), table.name


def test_nobody_but_the_owner_may_touch_a_partition_itself(app: Flask) -> None:
    del app
    with owner_transaction() as session:
        open_to = session.execute(
            text("""
                SELECT grantee, table_name FROM information_schema.role_table_grants
                JOIN pg_class ON oid = format('public.%I', table_name)::regclass AND relispartition
                WHERE table_schema = 'public' AND grantee <> 'facequeue_owner'""")
        ).all()

    assert open_to == []


def test_what_runs_with_the_owner_s_rights_finds_only_what_it_means(app: Flask) -> None:
    del app
    with owner_transaction() as session:
        functions = session.execute(
            text("""
                SELECT proconfig, has_function_privilege('public', oid, 'EXECUTE') AS anybody
                FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef""")
        ).all()

    assert len(functions) == 6
    for function in functions:
        assert "search_path=pg_catalog, pg_temp" in function.proconfig
        assert not function.anybody


@pytest.mark.parametrize("table", TENANTS_TABLES)
def test_a_row_of_another_tenant_cannot_be_inserted(world: TenantWorld, table: str) -> None:
    column = "id" if table == "tenants" else "tenant_id"

    with (
        pytest.raises(ProgrammingError, match=r"row-level security|permission denied"),
        tenant_transaction(world.tenant_id) as session,
    ):
        session.execute(text(f"INSERT INTO {table} ({column}) VALUES (:id)"), {"id": new_id()})


@pytest.mark.parametrize("table", TENANTS_TABLES)
def test_without_a_tenant_the_app_role_sees_nothing(world: TenantWorld, table: str) -> None:
    world.submit(Operation.DETECT, ItemRequest("a", world.uri("a.jpg")))
    column = "id" if table == "tenants" else "tenant_id"

    with db.engine.connect() as connection:
        assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0
    with tenant_transaction(world.tenant_id) as session:
        foreign = f"SELECT count(*) FROM {table} WHERE {column} <> :tenant"
        assert session.execute(text(foreign), {"tenant": world.tenant_id}).scalar_one() == 0


def test_a_partition_is_no_way_around_the_policy(world: TenantWorld) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        tenant_transaction(world.tenant_id) as session,
    ):
        session.execute(text("SELECT count(*) FROM jobs_default"))


@pytest.mark.parametrize("table", ["faces", "face_vectors_128", "collections"])
def test_the_queue_role_cannot_read_biometrics(app: Flask, table: str) -> None:
    del app
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        queue_transaction() as session,
    ):
        session.execute(text(f"SELECT count(*) FROM {table}"))


def test_the_queue_role_may_read_nothing_private(app: Flask) -> None:
    del app
    with owner_transaction() as session:
        readable = session.scalars(
            text("""
                SELECT column_name FROM information_schema.column_privileges
                WHERE grantee = 'facequeue_queue' AND privilege_type = 'SELECT'
                  AND table_name <> 'audit_events'""")  # ids and digests, which the chainer hashes
        ).all()

    assert {"lease_token", "expires_at"} <= set(readable)
    assert PRIVATE.isdisjoint(readable)


def test_nobody_but_the_owner_changes_an_audit_event(world: TenantWorld) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        tenant_transaction(world.tenant_id) as session,
    ):
        session.execute(text("UPDATE audit_events SET action = 'nothing happened'"))


def test_a_face_cannot_hang_on_a_subject_of_another_tenant(world: TenantWorld) -> None:
    other = TenantWorld.create()
    collection = other.collection()
    subject = new_id()
    other.query(
        "INSERT INTO subjects (id, tenant_id, collection_id, external_id) "
        "VALUES (:id, :tenant, :collection, 'x') RETURNING id",
        id=subject,
        tenant=other.tenant_id,
        collection=collection,
    )

    with pytest.raises(IntegrityError, match="fk_faces"):
        world.query(
            "INSERT INTO faces (id, tenant_id, collection_id, subject_id, image_sha256, face_no, "
            "box, quality, model, job_id, item_seq) VALUES (:id, :tenant, :collection, :subject, "
            "decode(repeat('00', 32), 'hex'), 0, '{0,0,1,1}', 1, 'm', :id, 0) RETURNING id",
            id=new_id(),
            tenant=world.tenant_id,
            collection=collection,
            subject=subject,
        )


def test_a_jobs_counters_cannot_disagree_with_its_size(world: TenantWorld) -> None:
    job_id = world.submit(Operation.DETECT, ItemRequest("a", world.uri("a.jpg")))

    with pytest.raises(IntegrityError, match="ck_jobs_counts"):
        world.query("UPDATE jobs SET open_items = 5 WHERE id = :id RETURNING id", id=job_id)
