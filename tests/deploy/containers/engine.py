"""Podman with a storage of its own."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.stack.state import locked

# Podman finds its helpers for networks where Debian lays them, on nobody's PATH.
_HELPERS = Path("/usr/lib/podman")
PROGRAMS = (
    *("podman", "runc", "iptables", "catatonit"),
    *(str(_HELPERS / name) for name in ("netavark", "aardvark-dns")),
)
# Networks, their addresses and names belong to the machine: one engine at a time.
_TURN = Path("/run/facequeue-containers")
_PREFIX = "fq-podman-"
# No `podman system reset`: every other podman of this machine forgets what it runs.
_LAST_STEPS = (
    ("pod", "rm", "--all", "--force", "--time", "1"),
    ("rm", "--all", "--force", "--time", "1"),
    ("network", "prune", "--force"),
    ("volume", "prune", "--force"),
)
_CONTAINERS = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{folder}/libpod"
[network]
network_backend = "netavark"
network_config_dir = "{folder}/networks"
"""
_STORAGE = """\
[storage]
driver = "{driver}"
graphroot = "{folder}/storage"
runroot = "{folder}/run"
"""


@dataclass(frozen=True)
class Engine:
    """A podman whose images and containers are its own."""

    folder: Path
    environment: dict[str, str]

    def podman(self, *arguments: str | Path, seconds: float = 120.0) -> str:
        """What a command printed.

        Raises:
            AssertionError: it failed; with what it said.
        """
        return self.run(["podman", *arguments], seconds=seconds)

    def run(self, command: Sequence[str | Path], *, seconds: float = 120.0, **more: str) -> str:
        """As `podman`, with more variables in its environment."""
        ended = subprocess.run(  # noqa: S603 - the tests' own commands
            list(map(str, command)),
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert ended.returncode == 0, f"{command}: {ended.stdout[-4000:]}{ended.stderr[-4000:]}"
        return ended.stdout

    def succeeds(self, *arguments: str) -> bool:
        """Whether a command ends well."""
        ended = subprocess.run(  # noqa: S603 - the tests' own commands
            ["podman", *arguments],  # noqa: S607 - wherever it is installed
            env=self.environment,
            capture_output=True,
            check=False,
        )
        return ended.returncode == 0


@contextmanager
def engine() -> Iterator[Engine]:
    """An engine without images; whatever ran in it and lay there is gone at the end.

    Waits until no other test of this machine has one. What one left that was killed goes first.
    """
    with locked(_TURN):
        for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            _end(_engine(left))
        # Not below pytest's folder: paths of sockets have 108 bytes.
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        try:
            _configure(folder)
            yield _engine(folder)
        finally:
            _end(_engine(folder))


def _engine(folder: Path) -> Engine:
    own = {
        "CONTAINERS_CONF": str(folder / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
        "BUILDAH_ISOLATION": "chroot",
        "TMPDIR": str(folder / "tmp"),
    }
    return Engine(folder, {**os.environ, **own})


def _configure(folder: Path) -> None:
    (folder / "tmp").mkdir()
    driver = "overlay" if _overlays(folder) else "vfs"
    (folder / "containers.conf").write_text(_CONTAINERS.format(folder=folder))
    (folder / "storage.conf").write_text(_STORAGE.format(folder=folder, driver=driver))


def _end(made: Engine) -> None:
    """Each step is tried, whatever became of those before it.

    Raises:
        AssertionError: something is left.
    """
    failed: list[tuple[str, ...]] = []
    if (made.folder / "storage.conf").exists():  # else it is no engine, and podman means another
        failed = [step for step in _LAST_STEPS if not made.succeeds(*step)]
    subprocess.run(  # noqa: S603 - nothing is mounted there with another driver
        ["umount", made.folder / "storage/overlay"],  # noqa: S607
        check=False,
        capture_output=True,
    )
    remove(made.folder)
    assert not failed


def remove(folder: Path) -> None:
    """Delete a tree, but nothing that is mounted in it: debootstrap mounts /proc while it works."""
    subprocess.run(["rm", "-rf", "--one-file-system", folder], check=True)  # noqa: S603, S607


def _overlays(folder: Path) -> bool:
    """Whether this kernel lays folders over each other here; else each layer is a whole copy."""
    parts = [folder / name for name in ("lower", "upper", "work", "merged")]
    for part in parts:
        part.mkdir()
    lower, upper, work, merged = parts
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    command = ["mount", "-t", "overlay", "overlay", "-o", options, str(merged)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:  # noqa: S603
        return False
    subprocess.run(["umount", merged], check=True)  # noqa: S603, S607
    return True
