"""Beat's scheduler: the library's, in the schema that a migration made for it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy_celery_beat.models import ModelBase
from sqlalchemy_celery_beat.schedulers import DatabaseScheduler, session_manager

from workers.chores import INTERVALS
from workers.pulse import show_pulse

# Any number, the same for all beats: one at a time makes the tables and fills them.
_SETUP_LOCK = 0x_FACE_0002

# The library counts the interval of what has never run from its own start, so that a chore never
# runs where beat is started more often than that.
_FROM_LAST_TURN = text("""
UPDATE celery_schema.celery_periodictask AS task SET last_run_at = coalesce(
  (SELECT taken_at FROM public.chore_turns WHERE chore = task.name), 'epoch')
WHERE name = ANY (:chores)
""")


class BeatScheduler(DatabaseScheduler):  # type: ignore[misc] # the library has no types
    """The schedule in Postgres, without the right to create schemas, and told of the last turns.

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

    def tick(self, *args: Any, **options: Any) -> Any:
        """Fire what is due, and show that this process turns round."""
        show_pulse(self.app.conf.beat_pulse_file)
        return super().tick(*args, **options)

    def setup_schedule(self) -> None:
        """Go on where the chores are: what never had its turn, or is overdue, is due at once."""
        super().setup_schedule()
        with self.engine.begin() as connection:
            connection.execute(_FROM_LAST_TURN, {"chores": [task.value for task in INTERVALS]})
        self._schedule = self.all_as_schedule()
