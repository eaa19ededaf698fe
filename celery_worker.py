"""Celery's entry point: `celery -A celery_worker:celery worker|beat|flower`."""

from app import create_app_or_exit
from app.adapters.task_queue import make_celery
from workers.bootstrap import bootstrap

flask_app = create_app_or_exit()
celery = make_celery(flask_app.config["SETTINGS"])
bootstrap(celery, flask_app)
