"""A part of the registry: models of what a face looks like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.weights import Licence, WeightsFile, file_in_use, identity_of

# Part of their identity: raise it when cutting out or preparing a face changes estimates.
PREPROCESSING_VERSION = 1


@dataclass(frozen=True)
class AttributeEntry:
    """A model of one attribute. `labels` name its answers; without any they are years."""

    name: str
    labels: tuple[str, ...]
    licence: Licence
    files: tuple[WeightsFile, ...]

    @property
    def parts(self) -> tuple[tuple[WeightsFile, ...], ...]:
        """What has to be installed: of each tuple, one file."""
        return (self.files,)

    @property
    def identity(self) -> str:
        """`name@digest`; raises ModelNotInstalled (see file_in_use)."""
        return identity_of(self.name, (file_in_use(self.name, self.files),), PREPROCESSING_VERSION)


def attribute_entries(
    raw: Mapping[str, dict[str, Any]], files: Mapping[str, WeightsFile]
) -> dict[str, AttributeEntry]:
    """Make the entries, by what they estimate."""
    return {
        attribute: AttributeEntry(
            entry["name"],
            tuple(entry["labels"]),
            Licence(**entry["licence"]),
            tuple(files[file] for file in entry["files"]),
        )
        for attribute, entry in raw.items()
    }
