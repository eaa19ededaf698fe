"""Celery's entry point: `celery -A celery_worker:celery worker|beat|flower`."""

import os

# A child works on one core, beside others on theirs. Read once, as NumPy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# isort: split
from app import create_app_or_exit
from app.adapters.task_queue import make_celery
from workers.bootstrap import bootstrap

flask_app = create_app_or_exit()
celery = make_celery(flask_app.config["SETTINGS"])
bootstrap(celery, flask_app)
