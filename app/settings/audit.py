"""The audit log."""

from __future__ import annotations

import base64
from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from app.domain.storage import ObjectLocation
from app.settings.group import CommaList, SettingsGroup

_ED25519_BYTES = 32


class AuditSettings(SettingsGroup):
    """Whether it is written, and who signs its checkpoints."""

    accept_unrecorded_access: bool = Field(
        default=False, description="Production may run with ENABLE_AUDIT_LOGGING=false"
    )
    enable_audit_logging: bool = Field(default=True, description="Write audit events")
    audit_signing_key: str | None = Field(
        default=None, description="Ed25519 seed that signs checkpoints, 32 bytes in base64"
    )
    audit_verify_keys: CommaList = Field(
        default=(), description="Further public keys of checkpoints, base64, comma separated"
    )
    audit_checkpoint_bucket: str | None = Field(
        default=None, description="`s3://bucket/prefix` to which checkpoints are exported"
    )

    @field_validator("enable_audit_logging")
    @classmethod
    def _unrecorded_access_accepted(cls, value: bool, known: ValidationInfo) -> bool:
        said_twice = known.data.get("accept_unrecorded_access")
        if not value and known.data.get("facequeue_env") == "production" and not said_twice:
            raise ValueError(
                "without audit events nobody can say who read whose faces; production accepts that "
                "with ACCEPT_UNRECORDED_ACCESS=true only"
            )
        return value

    @field_validator("audit_signing_key", "audit_verify_keys")
    @classmethod
    def _ed25519_keys(cls, value: Any) -> Any:
        for key in (value,) if isinstance(value, str) else value or ():
            if not _is_ed25519(key):
                raise ValueError("an Ed25519 key is 32 bytes in base64")
        return value

    @field_validator("audit_checkpoint_bucket")
    @classmethod
    def _checkpoint_place(cls, value: str | None) -> str | None:
        if value is not None:
            ObjectLocation.parse(value if "/" in value.removeprefix("s3://") else value + "/")
        return value


def _is_ed25519(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == _ED25519_BYTES
    except ValueError:
        return False
