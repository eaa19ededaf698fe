"""Metrics, logs and reports of errors."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from app.settings.group import SettingsGroup


class WatchingSettings(SettingsGroup):
    """What operators see of the system."""

    enable_analytics: bool = Field(default=True, description="Run the job statistics chore")
    sentry_dsn: str | None = Field(default=None, description="Sentry project; unset: off")
    prometheus_metrics_enabled: bool = Field(default=True, description="Serve GET /metrics")
    prometheus_multiproc_dir: Path | None = Field(
        default=None, description="Folder in which processes of a host share their metrics"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Lowest level that is logged"
    )
