"""What the entry points load: an API host has neither TensorFlow nor OpenCV in memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HEAVY = ("tensorflow", "cv2", "onnxruntime", "openvino", "deepface", "torch")

# Enough to build the application; nothing is connected to at import.
ENVIRONMENT = {
    "FACEQUEUE_ENV": "test",
    "SECRET_KEY": "not-a-secret-only-a-test",
    "ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "DATABASE_URL": "postgresql+psycopg2://a:b@127.0.0.1:1/c",
    "DATABASE_QUEUE_URL": "postgresql+psycopg2://a:b@127.0.0.1:1/c",
    "AWS_STORAGE_BUCKET_NAME": "bucket",
}


@pytest.mark.parametrize("entry_point", ["wsgi", "celery_worker", "workers.dispatcher"])
def test_no_entry_point_loads_what_only_recognition_needs(entry_point: str) -> None:
    program = f"import sys, {entry_point}; print(*(m for m in {HEAVY} if m in sys.modules))"

    loaded = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=ENVIRONMENT,
        check=True,
        capture_output=True,
        text=True,
    )

    assert loaded.stdout.split() == []


@pytest.mark.parametrize("entry_point", ["wsgi.py", "celery_worker.py"])
def test_entry_points_are_short(entry_point: str) -> None:
    assert len((ROOT / entry_point).read_text().splitlines()) <= 30
