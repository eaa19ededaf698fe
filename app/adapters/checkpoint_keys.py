"""Ed25519 keys of audit checkpoints: one that signs, and all that are believed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.config import Settings
from app.domain.audit_checkpoint import Checkpoint, Head
from app.domain.errors import ConfigurationError

_NAME_DIGITS = 16


@dataclass(frozen=True)
class CheckpointSigner:
    """Signs heads of chains."""

    key: Ed25519PrivateKey

    @classmethod
    def from_settings(cls, settings: Settings) -> CheckpointSigner:
        """The signer that the configuration describes.

        Raises:
            ConfigurationError: AUDIT_SIGNING_KEY is not set.
        """
        if settings.audit_signing_key is None:
            raise ConfigurationError("AUDIT_SIGNING_KEY is not set; checkpoints are signed with it")
        seed = base64.b64decode(settings.audit_signing_key)
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    def sign(self, head: Head) -> Checkpoint:
        """Vouch for a head."""
        return Checkpoint(head, _name(self.key.public_key()), self.key.sign(head.statement()))

    @property
    def public_key(self) -> str:
        """What others check signatures with: 32 bytes in base64."""
        return base64.b64encode(self.key.public_key().public_bytes_raw()).decode()


@dataclass(frozen=True)
class CheckpointKeys:
    """Public keys by their names, which are the beginnings of their SHA-256."""

    keys: Mapping[str, Ed25519PublicKey]

    @classmethod
    def from_settings(cls, settings: Settings) -> CheckpointKeys:
        """Those of AUDIT_VERIFY_KEYS, and the signing key's own."""
        keys = [
            Ed25519PublicKey.from_public_bytes(base64.b64decode(key))
            for key in settings.audit_verify_keys
        ]
        if settings.audit_signing_key is not None:
            keys.append(CheckpointSigner.from_settings(settings).key.public_key())
        return cls({_name(key): key for key in keys})

    def believe(self, checkpoint: Checkpoint) -> bool:
        """Whether a key that we know has signed it."""
        key = self.keys.get(checkpoint.signed_by)
        if key is None:
            return False
        try:
            key.verify(checkpoint.signature, checkpoint.head.statement())
        except InvalidSignature:
            return False
        return True


def _name(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:_NAME_DIGITS]
