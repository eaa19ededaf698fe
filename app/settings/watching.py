"""Metrics, logs and reports of errors."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from app.settings.group import SettingsGroup


class WatchingSettings(SettingsGroup):
    """What operators see of the system."""

    enable_analytics: bool = Field(
        default=True, description="Count usage, and log job statistics; while it is off usage waits"
    )
    sentry_dsn: str | None = Field(default=None, description="Sentry project; unset: off")
    sentry_environment: str | None = Field(
        default=None, description="Environment in Sentry; unset: FACEQUEUE_ENV"
    )
    sentry_release: str | None = Field(
        default=None, description="Release in Sentry; unset: `facequeue@` and the version"
    )
    sentry_sample_rate: float = Field(
        default=1.0, gt=0, le=1, description="Share of unexpected errors that Sentry is sent"
    )
    sentry_traces_sample_rate: float = Field(
        default=0.0, ge=0, le=1, description="Share of requests and tasks whose trace it is sent"
    )
    prometheus_metrics_enabled: bool = Field(default=True, description="Serve GET /metrics")
    prometheus_multiproc_dir: Path | None = Field(
        default=None, description="Folder in which processes of a host share their metrics"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Lowest level that is logged"
    )
    slow_request_seconds: float = Field(
        default=1.0, gt=0, description="A request that worked for longer has a warning as its line"
    )
    slow_statement_seconds: float = Field(
        default=0.5, gt=0, description="A statement that took longer is logged, without its values"
    )

    @field_validator("sentry_dsn")
    @classmethod
    def _project(cls, dsn: str | None) -> str | None:
        if dsn is not None:
            parts = urlsplit(dsn)
            project = parts.path.rpartition("/")[2]
            whole = parts.username and parts.hostname and project.isdigit()
            if parts.scheme not in ("http", "https") or not whole:
                raise ValueError("not of the form https://KEY@HOST/PROJECT")
        return dsn
