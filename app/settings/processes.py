"""How many processes there are and how long each works at a time."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from app.settings.group import SettingsGroup


class ProcessSettings(SettingsGroup):
    """Shards, leases, hints and the processes of a host."""

    shard_size: int = Field(default=256, ge=1, le=10_000, description="Items one task processes")
    gunicorn_workers: int = Field(default=1, ge=1, description="API processes of a host")
    face_crop_programs: int = Field(
        default=1, ge=1, le=16, description="Faces an API process cuts out at a time"
    )
    celery_worker_concurrency: int = Field(default=1, ge=1, description="Recognition children")
    lease_seconds: float = Field(default=30.0, gt=0, description="Life of a lease not renewed")
    hint_seconds: float = Field(default=20.0, gt=0, description="Life of a broker message's hint")
    recognise_seconds: float = Field(
        default=60.0, gt=0, description="After this a task hands the rest of its shard back"
    )
    pulse_file: Path | None = Field(
        default=None, description="File that a worker, dispatcher or beat touches while it is well"
    )
