"""Maintenance beside a service at work."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from app.database.transactions import owner_transaction, tenant_transaction
from app.domain.job_request import ItemRequest
from app.domain.states import Operation
from tests.deploy.keeping.installation import Installation
from tests.factories.tenant_world import TenantWorld

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("keeping")]

REBUILD_ALL = ("--min-size", "0", "--bloat", "0.5")


def bloat(world: TenantWorld) -> None:
    """A table whose index is mostly empty."""
    fill = """
INSERT INTO idempotency_keys (tenant_id, key, fingerprint, expires_at)
SELECT :tenant, md5(n::text), '', now() + interval '1 day' FROM generate_series(1, 20000) AS n"""
    with tenant_transaction(world.tenant_id) as session:
        session.execute(text(fill), {"tenant": world.tenant_id})
        session.execute(text("DELETE FROM idempotency_keys WHERE key > '1'"))


def size(installation: Installation) -> int:
    [(found,)] = installation.ask("SELECT pg_relation_size('pk_idempotency_keys')")
    return int(found)


def test_an_index_that_is_mostly_empty_is_rebuilt(installation: Installation) -> None:
    with installation.application():
        bloat(TenantWorld.create())
    before = size(installation)

    told = installation.done("db_maintenance.sh", *REBUILD_ALL)

    assert "rebuilt pk_idempotency_keys" in told
    assert size(installation) < before / 2


def test_a_vector_index_that_is_mostly_empty_is_rebuilt(installation: Installation) -> None:
    installation.ask("""
CREATE TABLE public.probe (id int, embedding halfvec(128));
INSERT INTO public.probe
SELECT n, (SELECT array_agg(sin(n * i)) FROM generate_series(1, 128) AS i)::real[]::halfvec
FROM generate_series(1, 2000) AS n;
CREATE INDEX probe_hnsw ON public.probe USING hnsw (embedding halfvec_cosine_ops);
DELETE FROM public.probe WHERE id > 200;
ALTER TABLE public.probe OWNER TO facequeue_owner;
SELECT 1""")

    told = installation.done("db_maintenance.sh", *REBUILD_ALL)

    assert "rebuilt probe_hnsw" in told


def test_what_is_past_its_time_goes(installation: Installation) -> None:
    with installation.application():
        world = TenantWorld.create()
        with tenant_transaction(world.tenant_id) as session:
            add = """
INSERT INTO idempotency_keys (tenant_id, key, fingerprint, expires_at)
VALUES (:tenant, 'old', '', now() - interval '1 day')"""
            session.execute(text(add), {"tenant": world.tenant_id})

    told = installation.done("db_maintenance.sh")

    assert "1 records" in told
    assert installation.ask("SELECT count(*) FROM idempotency_keys") == [(0,)]


def test_what_is_in_use_is_left_for_the_next_run(installation: Installation) -> None:
    with installation.application():
        bloat(TenantWorld.create())
        with owner_transaction() as session:
            session.execute(text("LOCK TABLE idempotency_keys IN ROW EXCLUSIVE MODE"))

            told = installation.done("db_maintenance.sh", "--lock-timeout", "0.2", *REBUILD_ALL)

            assert "left pk_idempotency_keys" in told
    leftovers = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
    assert "rebuilt pk_idempotency_keys" in installation.done("db_maintenance.sh", *REBUILD_ALL)
    assert installation.ask(leftovers) == [(0,)]


def test_submissions_go_on_meanwhile(installation: Installation) -> None:
    with installation.application() as app:
        world = TenantWorld.create()
        bloat(world)
        ended, submitted, failed = threading.Event(), [], []

        def submit() -> None:
            with app.app_context():
                while not ended.is_set():
                    try:
                        item = ItemRequest("a", world.uri("a.jpg"))
                        submitted.append(world.submit(Operation.DETECT, item))
                    except Exception as error:  # noqa: BLE001 - none may come, of whatever kind
                        failed.append(error)

        client = threading.Thread(target=submit)
        client.start()
        try:
            told = installation.done("db_maintenance.sh", *REBUILD_ALL)
        finally:
            ended.set()
            client.join()

        assert "vacuumed" in told
        assert failed == []
        assert len(submitted) > 10
