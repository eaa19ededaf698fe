from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_gunicorn_logs_as_the_application_does_and_ends_when_it_cannot_start() -> None:
    command = "-m gunicorn -c deploy/gunicorn.conf.py -b 127.0.0.1:0 wsgi:app"
    ended = subprocess.run(  # noqa: S603 - our own interpreter and configuration
        [sys.executable, *command.split()],
        cwd=ROOT,
        env={"SECRET_KEY": "5f0c9d2ab17e4866"},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    start, rest = ended.stderr.split("The configuration is not usable:\n")
    reason, end = rest.split("what it means.\n")
    assert "DATABASE_URL: Field required" in reason
    lines = [json.loads(line) for line in (start + end).splitlines()]
    assert "Starting gunicorn" in lines[0]["event"]
    assert ended.returncode == 3
