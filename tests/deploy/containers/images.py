"""The image of FaceQueue, built as docs/containers.md says, and those of the servers around it."""

from __future__ import annotations

import os
import ssl
import subprocess
from pathlib import Path

import yaml

from scripts.stack.state import ROOT
from tests.deploy.containers.engine import Engine, remove
from tests.deploy.containers.stand_ins import make_shell, make_trees

PROGRAMS = ("debootstrap", "tar")
DOCKERFILE = ROOT / "deploy/docker/Dockerfile"
_BASE = "docker.io/library/python:3.11-slim-bookworm"
_PACKAGES = "ca-certificates,python3,python3-venv"
# What compose.yml takes for granted of each image.
_CONFIGURATIONS = {
    "nginx": ('CMD ["nginx", "-g", "daemon off;"]', "STOPSIGNAL SIGQUIT"),
    "postgres": (
        'ENTRYPOINT ["docker-entrypoint.sh"]',
        'CMD ["postgres"]',
        "ENV PGDATA=/var/lib/postgresql/18/docker",
        "STOPSIGNAL SIGINT",
        "VOLUME /var/lib/postgresql",
    ),
    "redis": ('CMD ["valkey-server"]', "WORKDIR /data", "VOLUME /data"),
    "s3": ('ENTRYPOINT ["weed"]', "VOLUME /data"),
}


def refusal(engine: Engine) -> str | None:
    """Why no container with a network runs here, if so; tried with one that does nothing."""
    tree = engine.folder / "shell"
    make_shell(tree)
    try:
        _import(engine, tree, "localhost/shell:only", ())
        engine.podman("network", "create", "tried")
        engine.podman("run", "--rm", "--network", "tried", "localhost/shell:only", "true")
    except AssertionError as error:
        return f"this machine lets podman run no container: {error}"
    finally:
        engine.succeeds("network", "rm", "--force", "tried")
    return None


def make_images(engine: Engine) -> None:
    """Whatever compose.yml names; the base is Debian with its own Python instead of Docker's."""
    tree = engine.folder / "base"
    engine.run(
        ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", *_suite(tree)], seconds=600
    )
    _import(engine, tree, _BASE, ())
    compose = yaml.safe_load((DOCKERFILE.parent / "compose.yml").read_text())
    for name, tree in make_trees(engine.folder / "trees").items():
        _import(
            engine,
            tree,
            f"docker.io/{_full(compose['services'][name]['image'])}",
            _CONFIGURATIONS[name],
        )
    _build(engine)


def _suite(tree: Path) -> tuple[str, ...]:
    """Debian 12, from where this machine gets its own packages."""
    asked = [
        "apt-get",
        "indextargets",
        "--format",
        "$(REPO_URI)",
        "Created-By: Packages",
        "Label: Debian",
    ]
    sources = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split()  # noqa: S603
    return ("bookworm", str(tree), *sources[:1])


def _full(image: str) -> str:
    return image if "/" in image else f"library/{image}"


def _import(engine: Engine, tree: Path, name: str, configuration: tuple[str, ...]) -> None:
    changes = (
        "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        *configuration,
    )
    archive = engine.folder / "image.tar"
    engine.run(["tar", "-C", tree, "--exclude=./dev/*", "-cf", archive, "."])
    options = [word for change in changes for word in ("--change", change)]
    engine.podman("import", *options, archive, name)
    archive.unlink()
    remove(tree)


def _build(engine: Engine) -> None:
    """The slim image, with the package index and the authorities that this machine trusts."""
    pip = engine.folder / "pip.conf"
    index = os.environ.get("PIP_INDEX_URL")
    pip.write_text(
        "[global]\ncert = /run/secrets/ca\n" + (f"index-url = {index}\n" if index else "")
    )
    authorities = os.environ.get("PIP_CERT") or ssl.get_default_verify_paths().cafile
    secrets = (f"id=pip_conf,src={pip}", f"id=ca,src={authorities}")
    engine.podman(
        *("build", "--file", DOCKERFILE, "--target", "slim", "--tag", "facequeue:slim"),
        *("--layers=false", "--network", "host"),
        *(word for secret in secrets for word in ("--secret", secret)),
        ROOT,
        seconds=900,
    )
