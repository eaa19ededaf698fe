"""Backups; read by scripts/keeping alone."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from app.domain.storage import ObjectLocation
from app.settings.group import SettingsGroup


class BackupSettings(SettingsGroup):
    """Where backups go, and for how long."""

    backup_dir: Path = Field(
        default=Path("/var/backups/facequeue"), description="Folder of this host's backups"
    )
    aws_s3_backup_bucket: str | None = Field(
        default=None, description="`s3://bucket/prefix` to which backups are copied"
    )
    retention_days_backups: int = Field(
        default=30, ge=1, description="Days a backup is kept; the last good one always is"
    )
    backup_metrics_dir: Path | None = Field(
        default=None, description="Where node_exporter's textfile collector reads"
    )
    backup_age_recipient: str | None = Field(
        default=None, description="age public key that encrypts backups of the configuration"
    )
    database_replication_url: str | None = Field(
        default=None, description="PostgreSQL, as a role with REPLICATION: base backups"
    )
    pg_bin: Path | None = Field(
        default=None, description="Folder of pg_dump and its siblings; unset: they are looked for"
    )

    @field_validator("aws_s3_backup_bucket")
    @classmethod
    def _backup_place(cls, value: str | None) -> str | None:
        if value is not None:
            ObjectLocation.parse(value if "/" in value.removeprefix("s3://") else value + "/")
        return value
