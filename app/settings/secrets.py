"""Secrets that the installation makes for itself."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet
from pydantic import Field, ValidationInfo, field_validator

from app.settings.group import CommaList, SettingsGroup

# A random key has more different characters than this, a made-up one often not.
_FEW_CHARACTERS = 8


class SecretSettings(SettingsGroup):
    """What signs and what encrypts."""

    secret_key: str = Field(
        min_length=16, description="Signs page cursors; 32 random bytes or more"
    )
    encryption_keys: CommaList = Field(
        description="Fernet keys for secrets at rest, comma separated; the first one encrypts"
    )

    @field_validator("encryption_keys")
    @classmethod
    def _fernet_keys(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        if not keys:
            raise ValueError("at least one Fernet key is needed")
        for key in keys:
            try:
                Fernet(key)
            except ValueError as error:
                raise ValueError("each key must be 32 url-safe base64 bytes") from error
        return keys

    @field_validator("secret_key", "encryption_keys")
    @classmethod
    def _no_placeholder(cls, value: Any, known: ValidationInfo) -> Any:
        secrets = (value,) if isinstance(value, str) else value
        if known.data.get("facequeue_env") in {"development", "test"}:
            return value
        if any("change" in s.lower() or len(set(s)) < _FEW_CHARACTERS for s in secrets):
            raise ValueError("a placeholder; production needs a secret of its own")
        return value
