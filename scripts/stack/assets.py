"""Public-domain portraits, taken out of packages that carry them. `python -m scripts.stack.assets`.

The packages are fetched by exact version and digest, without their dependencies, and are never
installed; each picture is checked by the digest of its own bytes. Once there, nothing is fetched.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import click

from scripts.stack.failures import StackError
from scripts.stack.state import DEFAULT_STATE, ROOT

PORTRAITS_FOLDER = DEFAULT_STATE / "portraits"
_LOCK = ROOT / "requirements-assets.txt"


@dataclass(frozen=True)
class Portrait:
    """A picture inside a package."""

    package: str
    member: str
    sha256: str


def _white_house(name: str, sha256: str) -> Portrait:
    return Portrait("face-recognition", f"tests/test_images/{name}", sha256)


PORTRAITS = {
    "obama.jpg": _white_house(
        "obama.jpg", "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6"
    ),
    "obama2.jpg": _white_house(
        "obama2.jpg", "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6"
    ),
    "obama3.jpg": _white_house(
        "obama3.jpg", "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3"
    ),
    "obama_partial_face.jpg": _white_house(
        "obama_partial_face.jpg", "c2d1f09e7ef3042352b41e41286e6eb0522f64f88308be13886991b95db52117"
    ),
    "biden.jpg": _white_house(
        "biden.jpg", "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c"
    ),
    "astronaut.png": Portrait(
        "scikit-image",
        "skimage/data/astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    ),
    "grace_hopper.jpg": Portrait(
        "matplotlib",
        "matplotlib/mpl-data/sample_data/grace_hopper.jpg",
        "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",
    ),
}


def fetch_portraits(folder: Path = PORTRAITS_FOLDER) -> Path:
    """Bring every portrait to `folder`, unless it is there already, and return the folder.

    Raises:
        StackError: a package cannot be fetched, or a picture is not the one that is expected.
    """
    missing = {name: item for name, item in PORTRAITS.items() if not _is(folder / name, item)}
    if not missing:
        return folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        archives = _download(sorted({item.package for item in missing.values()}), Path(name))
        for target, item in missing.items():
            _unpack(archives[item.package], item, folder / target)
    return folder


def _is(path: Path, portrait: Portrait) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == portrait.sha256


def _download(packages: list[str], folder: Path) -> dict[str, Path]:
    requirements = folder / "requirements.txt"
    requirements.write_text("".join(_locked(package) for package in packages))
    # The pictures of face-recognition are in its source archive only. pip reads that archive's
    # metadata with the setuptools that is here, and so fetches nothing but what is pinned.
    options = ["--no-deps", "--require-hashes", "--no-binary=face-recognition"]
    options += ["--no-build-isolation", "--disable-pip-version-check", "--quiet"]
    options += [f"--requirement={requirements}", f"--dest={folder}"]
    result = subprocess.run(
        [sys.executable, "-m", "pip", "download", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        lines = result.stderr.strip().splitlines() or ["pip said nothing"]
        words = next((line for line in lines if line.startswith("ERROR")), lines[-1])
        raise StackError(f"The packages with the sample portraits cannot be fetched: {words}")
    files = list(folder.iterdir())
    return {
        package: next(file for file in files if _normal(file.name).startswith(package))
        for package in packages
    }


def _locked(package: str) -> str:
    """A package's lines of the lock: its version and every digest it may have."""
    found = re.search(rf"^{package}==.*\n(?:    --hash=.*\n)+", _LOCK.read_text(), re.MULTILINE)
    if found is None:
        raise StackError(f"{_LOCK.name} does not name {package}: run scripts/lock.sh")
    return found.group()


def _normal(name: str) -> str:
    return name.lower().replace("_", "-")


def _unpack(archive: Path, portrait: Portrait, target: Path) -> None:
    content = _read_member(archive, portrait.member)
    if hashlib.sha256(content).hexdigest() != portrait.sha256:
        raise StackError(f"{portrait.member} of {archive.name} is not the picture we know")
    draft = target.with_name(target.name + ".draft")
    draft.write_bytes(content)
    draft.replace(target)


def _read_member(archive: Path, member: str) -> bytes:
    """Read one member; a source archive has a folder of its own name above it."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(member)
    with tarfile.open(archive) as source:
        for entry in source:
            if entry.name.partition("/")[2] == member:
                handle = source.extractfile(entry)
                return handle.read() if handle else b""
    raise StackError(f"{archive.name} holds no {member}")


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=PORTRAITS_FOLDER,
    show_default=".facequeue/portraits",
)
def assets(folder: Path) -> None:
    """Fetch the sample portraits."""
    try:
        fetch_portraits(folder)
    except StackError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{len(PORTRAITS)} portraits in {folder}")


if __name__ == "__main__":
    assets()
