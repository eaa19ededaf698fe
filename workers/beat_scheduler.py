"""Beat's scheduler: the library's, in the schema that a migration made for it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy_celery_beat.models import ModelBase
from sqlalchemy_celery_beat.schedulers import DatabaseScheduler, session_manager

# Any number, the same for all beats: one at a time makes the tables and fills them.
_SETUP_LOCK = 0x_FACE_0002


class BeatScheduler(DatabaseScheduler):  # type: ignore[misc] # the library has no types
    """The schedule in Postgres, without the right to create schemas.

    The library begins with CREATE SCHEMA IF NOT EXISTS, which PostgreSQL refuses to a role that may
    not create schemas even where the schema exists. The queue role may not; it may create tables in
    this one.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        configuration = options["app"].conf
        engine, _ = session_manager.create_session(
            configuration.beat_dburi,
            schema=configuration.beat_schema,
            **configuration.beat_engine_options,
        )
        with engine.connect() as connection:
            # Until the session ends. Of two beats that begin at once, one would die of a type or
            # an entry that the other has just made.
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _SETUP_LOCK})
            ModelBase.metadata.create_all(connection)
            connection.commit()
            session_manager.prepared = True
            super().__init__(*args, **options)
        engine.dispose()
