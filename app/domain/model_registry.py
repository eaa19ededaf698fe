"""The registry of recognition models: what each one is, and which file is trusted to be it.

Read from `models.toml` beside this module. Pure Python, for the API as much as for the workers:
a model's identity, dimension, threshold and licence are known without loading it.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import NormalDist
from typing import Any, Literal

from app.domain.errors import (
    ModelDigestMismatch,
    ModelLicenceRefused,
    ModelNotInstalled,
    ModelUnknown,
)

# Part of every model's identity: raise it when alignment or pixel preparation changes embeddings.
PREPROCESSING_VERSION = 1

REGISTRY_FILE = Path(__file__).with_name("models.toml")
PINS_FILE = "pins.json"

_IDENTITY_DIGITS = 12
_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class Licence:
    """Under what terms weights may be used. `source` is where that is stated."""

    name: str
    commercial_use: bool
    source: str


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
    derive: Literal["fold-weights"] | None = None


@dataclass(frozen=True)
class LocationSource:
    """A file at an address: a path, an https:// URL or an s3:// object, with its digest."""

    location: str
    sha256: str
    derive: Literal["fold-weights"] | None = None


Source = PackageSource | LocationSource


@dataclass(frozen=True)
class WeightsFile:
    """One file of weights. `sha256` is None until the operator's own copy is pinned."""

    name: str
    engine: Literal["graph", "deepface"]
    sources: tuple[Source, ...]
    sha256: str | None

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


@dataclass(frozen=True)
class InputSpec:
    """What a recogniser is fed: (pixel - mean) * scale, in this channel order and layout."""

    template: Literal["arcface-112"]
    channel_order: Literal["RGB", "BGR"]
    mean: float
    scale: float
    layout: Literal["NCHW", "NHWC"]
    batch_axis: Literal["free", "one"]


@dataclass(frozen=True)
class Calibration:
    """How similar two different people look to a model: a normal distribution of cosines.

    `provisional` says that it was not measured on a population; `source` says where it is from.
    """

    mean: float
    deviation: float
    provisional: bool
    source: str

    def false_match_rate(self, similarity: float) -> float:
        """Probability that two different people are at least this similar."""
        return NormalDist(self.mean, self.deviation).cdf(2 * self.mean - similarity)

    def threshold(self, false_match_rate: float) -> float:
        """Similarity that two different people exceed with this probability; 0 < rate < 1."""
        return 2 * self.mean - NormalDist(self.mean, self.deviation).inv_cdf(false_match_rate)


@dataclass(frozen=True)
class DetectorEntry:
    """A face detector of the registry."""

    name: str
    file: WeightsFile
    licence: Licence


@dataclass(frozen=True)
class ModelEntry:
    """A recogniser with its detector: all that a collection is bound to."""

    name: str
    dimensions: int
    default_threshold: float
    threshold_source: str
    calibration: Calibration
    licence: Licence
    experimental: bool
    detector: DetectorEntry
    files: tuple[WeightsFile, ...]
    input: InputSpec

    @property
    def commercial_use(self) -> bool:
        """Whether the licences of recogniser and detector both allow commercial use."""
        return self.licence.commercial_use and self.detector.licence.commercial_use

    @property
    def weights(self) -> WeightsFile:
        """The recogniser's file in use: the first one whose digest is known.

        Raises:
            ModelNotInstalled: the operator supplies this model's file and has not done so yet.
        """
        for file in self.files:
            if file.sha256 is not None:
                return file
        raise not_installed(self.name)

    @property
    def identity(self) -> str:
        """`name@digest`: changes with the weights of detector or recogniser and with preprocessing.

        Raises:
            ModelNotInstalled: see `weights`.
        """
        parts = (self.detector.file.sha256, self.weights.sha256, str(PREPROCESSING_VERSION))
        digest = hashlib.sha256(":".join(part or "" for part in parts).encode()).hexdigest()
        return f"{self.name}@{digest[:_IDENTITY_DIGITS]}"

    def require_licence(self, *, allow_noncommercial: bool) -> None:
        """Raise ModelLicenceRefused unless the licence, or else the operator, allows the use."""
        if not (self.commercial_use or allow_noncommercial):
            raise ModelLicenceRefused(
                f"{self.name}: {self.licence.name} ({self.licence.source}). Set "
                "ALLOW_NONCOMMERCIAL_MODELS=true if your use is covered by that licence."
            )


@dataclass(frozen=True)
class Registry:
    """All models by name."""

    models: dict[str, ModelEntry]

    def model(self, name: str) -> ModelEntry:
        """Return the entry called `name`; raises ModelUnknown, which lists the names there are."""
        try:
            return self.models[name]
        except KeyError:
            known = ", ".join(sorted(self.models))
            raise ModelUnknown(f"There is no model {name!r}; known are {known}") from None


def load_registry(models_dir: Path | None = None) -> Registry:
    """Read the registry; with `models_dir`, the operator's pinned files are known as well."""
    content = _registry_content(REGISTRY_FILE)
    pins = read_pins(models_dir) if models_dir else {}
    files = {name: _weights_file(name, raw, pins) for name, raw in content["files"].items()}
    detectors = {
        name: DetectorEntry(name, files[raw["file"]], Licence(**raw["licence"]))
        for name, raw in content["detectors"].items()
    }
    return Registry(
        {name: _model(name, raw, detectors, files) for name, raw in content["models"].items()}
    )


@cache
def _registry_content(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _weights_file(name: str, raw: dict[str, Any], pins: dict[str, str]) -> WeightsFile:
    sources = tuple(_source(dict(source)) for source in raw.get("sources", ()))
    return WeightsFile(name, raw["engine"], sources, raw.get("sha256") or pins.get(name))


def _source(raw: dict[str, Any]) -> Source:
    return PackageSource(**raw) if raw.pop("kind") == "package" else LocationSource(**raw)


def _model(
    name: str,
    raw: dict[str, Any],
    detectors: dict[str, DetectorEntry],
    files: dict[str, WeightsFile],
) -> ModelEntry:
    calibration = {key: value for key, value in raw["calibration"].items() if key != "kind"}
    plain = ("dimensions", "default_threshold", "threshold_source", "experimental")
    return ModelEntry(
        name=name,
        calibration=Calibration(**calibration),
        licence=Licence(**raw["licence"]),
        detector=detectors[raw["detector"]],
        files=tuple(files[file] for file in raw["files"]),
        input=InputSpec(**raw["input"]),
        **{key: raw[key] for key in plain},
    )


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
