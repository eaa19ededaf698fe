"""PostgreSQL."""

from __future__ import annotations

from pydantic import Field, field_validator
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from app.settings.group import SettingsGroup


class DatabaseSettings(SettingsGroup):
    """One URL a role, and how many connections."""

    database_url: str = Field(description="PostgreSQL, as role facequeue_app")
    database_queue_url: str = Field(description="PostgreSQL, as role facequeue_queue")
    database_owner_url: str | None = Field(
        default=None, description="PostgreSQL, as role facequeue_owner: migrations, maintenance"
    )
    database_replica_url: str | None = Field(
        default=None, description="A read replica for lists and exports; unset: the primary"
    )
    database_replica_max_lag_seconds: float = Field(
        default=5, gt=0, le=300, description="A replica further behind is not read"
    )
    database_replica_read_seconds: float = Field(
        default=10,
        gt=0,
        le=300,
        description="What a replica has not read by then, the primary does",
    )
    database_pool_size: int = Field(default=5, ge=1, description="Connections a process and role")

    @field_validator(
        "database_url", "database_queue_url", "database_owner_url", "database_replica_url"
    )
    @classmethod
    def _database_address(cls, url: str | None) -> str | None:
        try:
            valid = url is None or make_url(url).get_backend_name() == "postgresql"
        except ArgumentError:
            valid = False
        if not valid:
            raise ValueError("not of the form postgresql+psycopg2://ROLE:PASSWORD@HOST:PORT/NAME")
        return url
