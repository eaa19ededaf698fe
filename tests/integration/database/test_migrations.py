"""The schema: forwards, backwards and forwards again, and the same as the models say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import create_engine, text

from app import create_app
from app.config import Settings, load_settings
from app.domain.job_request import ItemRequest
from app.domain.states import Operation
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


def test_the_head_is_written_down_so_that_two_branches_cannot_both_add_one() -> None:
    folder = Path("migrations")
    revisions = sorted(path.name.split("_")[0] for path in folder.glob("versions/0*.py"))

    assert (folder / ".current-alembic-head").read_text().strip() == revisions[-1]


def tables(app: Flask) -> set[str]:
    engine = create_engine(app.config["SETTINGS"].database_owner_url)
    with engine.connect() as connection:
        names = connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        )
        found = set(names.scalars())
    engine.dispose()
    return found
