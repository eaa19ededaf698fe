"""The registry of models: what each one is, and which files are trusted to be it.

Read from `models.toml` beside this module. Pure Python, for the API as much as for the workers:
a model's identity, dimension, threshold and licence are known without loading it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from app.domain.attribute_registry import AttributeEntry, attribute_entries
from app.domain.calibration import Calibration
from app.domain.errors import ModelUnknown
from app.domain.weights import (
    Licence,
    LocationSource,
    PackageSource,
    Source,
    WeightsFile,
    file_in_use,
    identity_of,
    read_pins,
)

# Part of every model's identity: raise it when alignment or pixel preparation changes embeddings.
PREPROCESSING_VERSION = 3
# The same for liveness: raise it when cutting out or preparing a face changes scores.
LIVENESS_PREPROCESSING_VERSION = 1

REGISTRY_FILE = Path(__file__).with_name("models.toml")

Entry = TypeVar("Entry")


@dataclass(frozen=True)
class InputSpec:
    """What a network is fed: (pixel - mean) * scale, in this channel order and layout.

    `template` says how a face becomes a picture: "arcface-112", by its landmarks; "enlarged-80", by
    its box, made larger around its middle.
    """

    template: Literal["arcface-112", "enlarged-80"]
    channel_order: Literal["RGB", "BGR"]
    mean: float
    scale: float
    layout: Literal["NCHW", "NHWC"]
    batch_axis: Literal["free", "one"]


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
    flip_averaging: bool = False

    @property
    def commercial_use(self) -> bool:
        """Whether the licences of recogniser and detector both allow commercial use."""
        return self.licence.commercial_use and self.detector.licence.commercial_use

    @property
    def parts(self) -> tuple[tuple[WeightsFile, ...], ...]:
        """What has to be installed: of each tuple, one file."""
        return ((self.detector.file,), self.files)

    @property
    def weights(self) -> WeightsFile:
        """The recogniser's file in use; raises ModelNotInstalled (see file_in_use)."""
        return file_in_use(self.name, self.files)

    @property
    def identity(self) -> str:
        """`name@digest`; raises ModelNotInstalled (see file_in_use).

        With flip averaging it is another one: those embeddings belong in other collections.
        """
        version = f"{PREPROCESSING_VERSION}+flip" if self.flip_averaging else PREPROCESSING_VERSION
        return identity_of(self.name, (self.detector.file, self.weights), version)

    def require_licence(self, *, allow_noncommercial: bool) -> None:
        """Raise ModelLicenceRefused unless licences, or else the operator, allow the use."""
        for licence in (self.licence, self.detector.licence):
            licence.require(self.name, allow_noncommercial=allow_noncommercial)


@dataclass(frozen=True)
class LivenessNetwork:
    """One network of a liveness model. `crop_scale`: how much larger than the face its view is."""

    crop_scale: float
    files: tuple[WeightsFile, ...]


@dataclass(frozen=True)
class LivenessEntry:
    """A passive anti-spoofing model: networks whose mean probability of "live" is the score.

    `live_class` is that class's place in their answers; a face counts as live from `threshold` up.
    """

    name: str
    threshold: float
    threshold_source: str
    live_class: int
    licence: Licence
    networks: tuple[LivenessNetwork, ...]
    input: InputSpec

    @property
    def parts(self) -> tuple[tuple[WeightsFile, ...], ...]:
        """What has to be installed: of each tuple, one file."""
        return tuple(network.files for network in self.networks)

    @property
    def identity(self) -> str:
        """`name@digest`; raises ModelNotInstalled (see file_in_use)."""
        files = [file_in_use(self.name, part) for part in self.parts]
        return identity_of(self.name, files, LIVENESS_PREPROCESSING_VERSION)

    def verified_paths(self, models_dir: Path) -> list[Path]:
        """Return where the networks lie; raises ModelNotInstalled or ModelDigestMismatch."""
        files = [file_in_use(self.name, part) for part in self.parts]
        return [file.verified_path(models_dir, self.name) for file in files]


AnyEntry = ModelEntry | LivenessEntry | AttributeEntry


@dataclass(frozen=True)
class Registry:
    """All models: what recognises people, what tells them from pictures, what describes faces.

    `attributes` are by what they estimate, the others by name.
    """

    models: dict[str, ModelEntry]
    liveness: dict[str, LivenessEntry]
    attributes: dict[str, AttributeEntry]

    @property
    def names(self) -> list[str]:
        """Names of all entries."""
        return list(self._all)

    @property
    def _all(self) -> dict[str, AnyEntry]:
        attributes = {entry.name: entry for entry in self.attributes.values()}
        return {**self.models, **self.liveness, **attributes}

    def model(self, name: str) -> ModelEntry:
        """Return the recogniser called `name`; raises ModelUnknown, which lists those there are."""
        return _find(self.models, name)

    def liveness_model(self, name: str) -> LivenessEntry:
        """Return the liveness model called `name`; raises ModelUnknown."""
        return _find(self.liveness, name)

    def any_model(self, name: str) -> AnyEntry:
        """Return whatever is called `name`; raises ModelUnknown."""
        return _find(self._all, name)


def _find(entries: Mapping[str, Entry], name: str) -> Entry:
    try:
        return entries[name]
    except KeyError:
        known = ", ".join(sorted(entries))
        raise ModelUnknown(f"There is no model {name!r}; known are {known}") from None


def load_registry(models_dir: Path | None = None, *, flip_averaging: bool = False) -> Registry:
    """Read the registry; with `models_dir`, the operator's pinned files are known as well.

    `flip_averaging`: its recognisers embed each face twice, once mirrored.
    """
    content = _registry_content(REGISTRY_FILE)
    pins = read_pins(models_dir) if models_dir else {}
    files = {name: _weights_file(name, raw, pins) for name, raw in content["files"].items()}
    detectors = {
        name: DetectorEntry(name, files[raw["file"]], Licence(**raw["licence"]))
        for name, raw in content["detectors"].items()
    }
    models = {name: _model(name, raw, detectors, files) for name, raw in content["models"].items()}
    return Registry(
        {name: replace(entry, flip_averaging=flip_averaging) for name, entry in models.items()},
        {name: _liveness(name, raw, files) for name, raw in content["liveness"].items()},
        attribute_entries(content["attributes"], files),
    )


@cache
def _registry_content(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _weights_file(name: str, raw: dict[str, Any], pins: dict[str, str]) -> WeightsFile:
    sources = tuple(_source(dict(source)) for source in raw.get("sources", ()))
    return WeightsFile(
        name,
        raw["engine"],
        sources,
        raw.get("sha256") or pins.get(name),
        raw.get("supplied_as"),
        raw.get("derive"),
    )


def _source(raw: dict[str, Any]) -> Source:
    return PackageSource(**raw) if raw.pop("kind") == "package" else LocationSource(**raw)


def _model(
    name: str,
    raw: dict[str, Any],
    detectors: dict[str, DetectorEntry],
    files: dict[str, WeightsFile],
) -> ModelEntry:
    plain = ("dimensions", "default_threshold", "threshold_source", "experimental")
    return ModelEntry(
        name=name,
        calibration=Calibration(**raw["calibration"]),
        licence=Licence(**raw["licence"]),
        detector=detectors[raw["detector"]],
        files=tuple(files[file] for file in raw["files"]),
        input=InputSpec(**raw["input"]),
        **{key: raw[key] for key in plain},
    )


def _liveness(name: str, raw: dict[str, Any], files: dict[str, WeightsFile]) -> LivenessEntry:
    return LivenessEntry(
        name=name,
        threshold=raw["threshold"],
        threshold_source=raw["threshold_source"],
        live_class=raw["live_class"],
        licence=Licence(**raw["licence"]),
        networks=tuple(
            LivenessNetwork(network["crop_scale"], tuple(files[file] for file in network["files"]))
            for network in raw["networks"]
        ),
        input=InputSpec(**raw["input"]),
    )
