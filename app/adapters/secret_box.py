"""Secrets at rest: encrypted by the first key of ENCRYPTION_KEYS, readable by all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.config import Settings
from app.domain.errors import ConfigurationError


class SecretBox:
    """Seals and opens short secrets.

    To rotate: put a new key first, restart, run `reseal` over what is stored, drop the old key.

    Args:
        keys: Fernet keys; the first one seals.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    @classmethod
    def from_settings(cls, settings: Settings) -> SecretBox:
        """The box that the configuration describes."""
        return cls(settings.encryption_keys)

    def seal(self, secret: str) -> bytes:
        """Encrypt."""
        return self._fernet.encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        """Decrypt.

        Raises:
            ConfigurationError: none of the configured keys sealed this, or it was altered.
        """
        return _explained(self._fernet.decrypt, sealed).decode()

    def reseal(self, sealed: bytes) -> bytes:
        """The same secret under the first key.

        Raises:
            ConfigurationError: as `open`.
        """
        return _explained(self._fernet.rotate, sealed)


def _explained(operation: Callable[[bytes], bytes], sealed: bytes) -> bytes:
    try:
        return operation(sealed)
    except InvalidToken as error:
        raise ConfigurationError(
            "A stored secret fits none of ENCRYPTION_KEYS; put back the key that sealed it"
        ) from error
