"""How long things are kept."""

from __future__ import annotations

from pydantic import Field

from app.settings.group import SettingsGroup


class RetentionSettings(SettingsGroup):
    """Days until something is deleted or given up."""

    retention_days_jobs: int = Field(default=30, ge=1, description="Days a finished job is kept")
    retention_days_images: int = Field(default=30, ge=1, description="Days an upload is kept")
    job_queue_days: int = Field(default=7, ge=1, description="Days until a queued job expires")
