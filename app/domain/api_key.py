"""API keys: `fq_<prefix>_<secret>`. The prefix is public and finds the key; the rest proves it."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.domain.names import Scope
from app.domain.networks import networks, parse_address

_LABEL = "fq"
_PREFIX_BYTES = 6
_SECRET_BYTES = 32  # 256 bits: nothing to guess, so a plain SHA-256 is enough at rest
_PARTS = 3


USE_NOTED_EVERY = dt.timedelta(minutes=1)
"""How often it is written down that a key is in use."""


@dataclass(frozen=True)
class Principal:
    """Who makes a request: a key of a tenant, and what that key may do."""

    tenant_id: UUID
    key_id: UUID
    scopes: frozenset[Scope]
    expires_at: dt.datetime | None = None
    requests_per_minute: int | None = None
    """What all keys of the tenant together may make, where an operator has said so."""
    addresses: tuple[str, ...] | None = None
    """Networks from which alone the key works; None: from anywhere."""

    def may(self, scope: Scope) -> bool:
        """Whether the key has a scope; `admin` has them all."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def may_grant(self, scopes: Iterable[Scope]) -> bool:
        """Whether the key may give these scopes to another: it has each of them itself."""
        return all(self.may(scope) for scope in scopes)

    def works_from(self, address: str | None) -> bool:
        """Whether the key works for a client at an address; where there is a list, not at none."""
        parsed = parse_address(address) if address else None
        return self.addresses is None or (parsed is not None and parsed in networks(self.addresses))

    def may_reach(self, addresses: Sequence[str] | None) -> bool:
        """Whether the key may give another such a list: it works from everywhere there itself."""
        return self.addresses is None or (
            addresses is not None and networks(self.addresses).cover(networks(addresses))
        )

    def may_end(self, key_id: UUID, scopes: Iterable[str]) -> bool:
        """Whether the key may revoke or replace another: it could have made it, or it is itself.

        Args:
            key_id: the other key.
            scopes: what it may do, as stored; what this version does not know only `admin` covers.
        """
        return (
            key_id == self.key_id
            or Scope.ADMIN in self.scopes
            or set(scopes) <= {scope.value for scope in self.scopes}
        )


def default_expiry(now: dt.datetime, days: int) -> dt.datetime | None:
    """When a key ends that was made without a word about it; None, never, for 0 days."""
    return now + dt.timedelta(days=days) if days else None


def earliest(*moments: dt.datetime | None) -> dt.datetime | None:
    """The first of some ends, of which None is none."""
    return min((moment for moment in moments if moment is not None), default=None)


@dataclass(frozen=True)
class IssuedKey:
    """A new key: its text, shown once, and what is stored of it."""

    text: str
    prefix: str
    key_hash: bytes


def issue_key() -> IssuedKey:
    """Make a key from the operating system's randomness."""
    prefix = secrets.token_hex(_PREFIX_BYTES)
    text = f"{_LABEL}_{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    return IssuedKey(text, prefix, hash_key(text))


def prefix_of(text: str) -> str | None:
    """Return the public prefix of a key, None when the text has not the form of a key."""
    parts = text.split("_", _PARTS - 1)
    well_formed = len(parts) == _PARTS and parts[0] == _LABEL and parts[1].isalnum()
    return parts[1] if well_formed and text.isascii() else None


def hash_key(text: str) -> bytes:
    """Return the digest that is stored instead of the key."""
    return hashlib.sha256(text.encode()).digest()


def is_key(text: str, key_hash: bytes) -> bool:
    """Whether a text is the key of a digest, in a time that says nothing about either."""
    return hmac.compare_digest(hash_key(text), key_hash)
