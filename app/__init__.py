"""The Flask application: everything the API and the workers share."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings

# Separate transactions are a statement each: two connections carry hundreds of them a second.
_SEPARATE_CONNECTIONS = 2
_APP_ROLE = "app"
_OF_REPLICA = ("replica", "replica_watch")


def create_app_or_exit() -> Flask:
    """Build the application for an entry point; a bad environment is one message, not a traceback.

    Exit status 3 is what gunicorn knows as an application that cannot start.
    """
    from app.domain.errors import ConfigurationError

    try:
        return create_app()
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(3) from None


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application from `settings`, or from the environment.

    Everything is imported in here: whoever imports only `app.domain` (the vision code, the decode
    process) pays for neither Flask nor SQLAlchemy.

    Raises:
        ConfigurationError: the environment is not usable; the message names all that is wrong.
    """
    from flask import Flask
    from flask_migrate import Migrate

    from app.adapters.sentry import report_to_sentry
    from app.api import register_api
    from app.commands import register_commands
    from app.config import load_settings
    from app.database.base import db
    from app.database.bounded_use import bound_use
    from app.database.pool import bound_idle_transactions, count_connections, look_before_use
    from app.database.replica import Replica, keep_replica
    from app.database.slow_statements import log_slow_statements, time_statements
    from app.logs import configure_logging
    from app.web import register_web

    settings = settings or load_settings()
    configure_logging(settings.log_level)
    report_to_sentry(settings)
    log_slow_statements(settings.slow_statement_seconds)
    app = Flask(__name__)
    app.config.from_mapping(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_BINDS=_engines(settings),
    )
    db.init_app(app)
    with app.app_context():
        for role, engine in db.engines.items():
            if role in _OF_REPLICA:
                bound_use(engine, settings.database_replica_read_seconds)
            look_before_use(engine)
            count_connections(engine, role or _APP_ROLE)
            time_statements(engine)
        for engine in (db.engine, db.engines["separate"], db.engines["queue"]):
            bound_idle_transactions(engine, settings.lease_seconds)
        if settings.database_replica_url:
            watch, primary = db.engines["replica_watch"], db.engines["separate"]
            replica = Replica(watch, primary, settings.database_replica_max_lag_seconds)
            keep_replica(app.extensions, replica)
    Migrate(app, db, directory="migrations")
    register_web(app)
    register_api(app)
    register_commands(app)
    return app


def _engines(settings: Settings) -> dict[str | None, dict[str, Any]]:
    """One for each role; None is the app's, which has one more for its separate transactions."""
    from app.database.pool import GIVE_UP_A_REPLICA, SURVIVE_A_LOST_HOST, timed_pool

    options = {
        "pool_size": settings.database_pool_size,
        "connect_args": SURVIVE_A_LOST_HOST,
        # Errors are logged; embeddings and names of people must not be.
        "hide_parameters": True,
    }
    few = {"pool_size": _SEPARATE_CONNECTIONS, "max_overflow": 0}
    urls = {None: settings.database_url, "queue": settings.database_queue_url}
    if settings.database_owner_url:
        urls["owner"] = settings.database_owner_url
    engines: dict[str | None, dict[str, Any]] = {
        role: {"url": url, **options} for role, url in urls.items()
    }
    engines["separate"] = {"url": settings.database_url, **options, **few}
    if settings.database_replica_url:
        # Where all its connections are in use, the primary is asked at once.
        copy = options | {"url": settings.database_replica_url, "connect_args": GIVE_UP_A_REPLICA}
        engines["replica"] = {**copy, "pool_timeout": 0}
        engines["replica_watch"] = {**copy, "pool_size": 1, "max_overflow": 0}
    return {
        role: {**engine, "poolclass": timed_pool(role or _APP_ROLE)}
        for role, engine in engines.items()
    }
