"""The Flask application: everything the API and the workers share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application from `settings`, or from the environment.

    Everything is imported in here: whoever imports only `app.domain` (the vision code, the decode
    process) pays for neither Flask nor SQLAlchemy.

    Raises:
        ConfigurationError: the environment is not usable; the message names all that is wrong.
    """
    from flask import Flask
    from flask_migrate import Migrate

    from app.api import register_api
    from app.commands import register_commands
    from app.config import load_settings
    from app.logs import configure_logging
    from app.models.database import db
    from app.models.pool import bound_idle_transactions, look_before_use

    settings = settings or load_settings()
    configure_logging(settings.log_level)
    app = Flask(__name__)
    app.config.from_mapping(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_BINDS=_binds(settings),
        SQLALCHEMY_ENGINE_OPTIONS={"pool_size": settings.database_pool_size},
    )
    db.init_app(app)
    with app.app_context():
        for engine in db.engines.values():
            look_before_use(engine)
        for engine in (db.engine, db.engines["queue"]):
            bound_idle_transactions(engine, settings.lease_seconds)
    Migrate(app, db, directory="migrations")
    register_api(app)
    register_commands(app)
    return app


def _binds(settings: Settings) -> dict[str, str]:
    binds = {"queue": settings.database_queue_url}
    if settings.database_owner_url:
        binds["owner"] = settings.database_owner_url
    return binds
