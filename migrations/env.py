"""Alembic's entry: runs as the owner role, with time-outs, in one transaction a revision."""

from __future__ import annotations

import re
from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import create_engine, text

import app.models  # noqa: F401 - registers every table on the metadata
from app.database.base import db
from app.domain.errors import ConfigurationError

# A migration that waits for a lock makes every request behind it wait too: give up and try again.
LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "10min"

# PostgreSQL copies a partitioned table's keys to its partitions; the models know the parents only.
_OF_A_PARTITION = {
    "table": re.compile(r"^(jobs|items|shards|detections)_(default|\d{6})$"),
    "foreign_key_constraint": re.compile(r"^fk_shards_job_\d+$"),
}


def _include_object(_object: Any, name: str | None, kind: str, *_rest: Any) -> bool:
    pattern = _OF_A_PARTITION.get(kind)
    return pattern is None or name is None or not pattern.match(name)


def run_migrations() -> None:
    """Upgrade or downgrade over one connection of the owner."""
    url = current_app.config["SETTINGS"].database_owner_url
    if url is None:
        raise ConfigurationError("DATABASE_OWNER_URL is not set; migrations run as the owner role")
    engine = create_engine(url, hide_parameters=True)
    with engine.connect() as connection:
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(text(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            include_object=_include_object,
            transaction_per_migration=True,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run_migrations()
