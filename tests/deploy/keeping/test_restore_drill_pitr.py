"""The drill by WAL: a server is lost, and comes back as it was at a named moment."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config import load_settings
from app.domain.actor import SYSTEM
from app.services.gallery.subjects import delete_subject
from scripts.keeping.programs import find_programs
from scripts.keeping.scratch_server import ScratchServer, scratch_server
from scripts.keeping.server import one, rows
from scripts.keeping.swap import bootstrap
from scripts.stack import postgres
from scripts.stack.databases import upgrade
from scripts.stack.environment import DATABASE
from scripts.stack.state import ROOT
from tests.deploy.keeping.installation import Installation
from tests.deploy.keeping.living_world import LivingWorld
from tests.deploy.programs import needs
from tests.factories.galleries import make_face, make_subject
from tests.support.processes import wait_until

pytestmark = [
    pytest.mark.stack,
    pytest.mark.xdist_group("keeping"),
    needs("curl", "gzip"),
]


class ArchivingHost:
    """A database host of its own, which archives its WAL with the scripts, and its installation."""

    def __init__(self, server: ScratchServer, environment: dict[str, str], folder: Path) -> None:
        self.server = server
        # The server's user may not be able to enter this repository: the scripts stand alone.
        scripts = server.home / "scripts"
        (scripts / "keeping").mkdir(parents=True)
        for name in ("archive_wal.sh", "restore_wal.sh", "keeping/wal_archive.sh"):
            shutil.copy(ROOT / "scripts" / name, scripts / name)
        self.scripts = scripts
        settings = scripts / "archive.env"
        names = (
            *("AWS_S3_BACKUP_BUCKET", "AWS_ENDPOINT_URL_S3", "AWS_S3_REGION_NAME"),
            *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        )
        settings.write_text("".join(f"{name}={environment[name]}\n" for name in names))
        self.give(server.home)
        self.settings = f"env FACEQUEUE_ARCHIVE_ENV={settings}"
        own = {
            "DATABASE_URL": server.as_role("app", DATABASE).setting(),
            "DATABASE_QUEUE_URL": server.as_role("queue", DATABASE).setting(),
            "DATABASE_OWNER_URL": server.as_role("owner", DATABASE).setting(),
            "DATABASE_REPLICATION_URL": server.as_role("superuser").setting(),
            "SUPERUSER_URL": server.as_role("superuser").setting(),
        }
        self.installation = Installation(server.state, DATABASE, environment | own, folder)

    def give(self, folder: Path) -> None:
        if (user := postgres.account()) is not None:
            subprocess.run(["chown", "-R", user, folder], check=True)  # noqa: S603, S607 - a constant

    def start(self) -> None:
        self.server.start(
            {
                "archive_mode": "on",
                "archive_command": f"{self.settings} {self.scripts}/archive_wal.sh %p %f",
            }
        )

    def make_database(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.installation.environment.items():
                patch.setenv(name, value)
            settings = load_settings()
        superuser = self.server.as_role("superuser")
        bootstrap(settings, superuser, find_programs(None, 0), DATABASE)
        upgrade(self.installation.environment)

    def now(self) -> str:
        """The server's clock: a moment with an offset."""
        with self.server.as_role("superuser").connect() as connection:
            return str(one(connection, "SELECT to_json(clock_timestamp()) #>> '{}'"))

    def archive_all(self) -> None:
        """Wait until what was written until now is kept."""
        with self.server.as_role("superuser").connect() as connection:
            rows(connection, "SELECT pg_create_restore_point('test')")
            segment = one(connection, "SELECT pg_walfile_name(pg_switch_wal())")
            archived = "SELECT last_archived_wal >= %s FROM pg_stat_archiver"
            wait_until(
                lambda: bool(one(connection, archived, segment)),
                seconds=60,
                what=f"the archiving of {segment}",
            )


@pytest.fixture
def host(installation: Installation, slot: int) -> Iterator[ArchivingHost]:
    environment = {
        **installation.environment,
        "AWS_S3_BACKUP_BUCKET": f"s3://test-{slot}/{installation.folder.name}",
    }
    with scratch_server() as server:
        host = ArchivingHost(server, environment, installation.folder)
        host.start()
        host.make_database()
        yield host


def test_a_lost_server_comes_back_as_it_was_at_a_named_moment(host: ArchivingHost) -> None:
    kept = host.installation
    kept.done("backup_base.sh")
    with kept.application():
        living = LivingWorld.create()
        before = living.answers()
    moment = host.now()
    with kept.application():
        late = make_subject(living.collection)
        make_face(living.collection, late)
        delete_subject(living.tenant_id, living.collection.id, living.people[0].id, SYSTEM)
    host.archive_all()
    kept.done("export_erasures.sh")

    host.server.stop(at_once=True)
    shutil.rmtree(postgres.data_folder(host.server.state))
    shutil.rmtree(kept.backups)  # the machine is gone: the bucket has it all
    data = host.server.home / "recovered"
    restore = f"{host.settings} {host.scripts}/restore_wal.sh %f %p"
    kept.done(
        "restore_pitr.sh",
        *("--to", moment, "--data", str(data), "--restore-command", restore),
    )
    host.give(data)
    host.server.start({"archive_mode": "off"}, data=data)
    wait_until(lambda: _is_promoted(host.server), seconds=60, what="the end of the recovery")

    with kept.application():
        assert living.answers() == before
        assert late.id not in living.found_people()
    assert kept.done("repeat_erasures.sh").startswith("1 erasures repeated")
    with kept.application():
        assert living.people[0].id not in living.found_people()
        assert living.finish_job() == "succeeded"


def _is_promoted(server: ScratchServer) -> bool:
    with server.as_role("superuser").connect() as connection:
        return one(connection, "SELECT pg_is_in_recovery()") is False


def test_a_moment_before_the_first_base_backup_is_refused(host: ArchivingHost) -> None:
    moment = host.now()
    wait_until(lambda: host.now()[:19] > moment[:19], what="the next second")
    host.installation.done("backup_base.sh")

    refused = host.installation.run(
        "restore_pitr.sh", "--to", moment, "--data", str(host.server.home / "recovered")
    )

    assert refused.returncode == 3
    assert "There is no such backup" in refused.stderr


def archive(folder: Path, script: str, *arguments: object, **settings: str) -> int:
    result = subprocess.run(  # noqa: S603 - our own script
        [ROOT / "scripts" / script, *map(str, arguments)],
        env={"PATH": "/usr/bin:/bin", "BACKUP_DIR": str(folder / "archive"), **settings},
        capture_output=True,
        check=False,
    )
    return result.returncode


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The settings of an archive."""
    if request.param == "folder":
        (tmp_path / "archive" / "wal").mkdir(parents=True)
        return {}
    environment: dict[str, str] = request.getfixturevalue("stack_environment")
    names = ("AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    bucket = f"s3://{environment['AWS_STORAGE_BUCKET_NAME']}/{tmp_path.name}"
    return {name: environment[name] for name in names} | {"AWS_S3_BACKUP_BUCKET": bucket}


def test_a_segment_comes_back_as_it_was(place: dict[str, str], tmp_path: Path) -> None:
    segment, back = tmp_path / "segment", tmp_path / "back"
    segment.write_bytes(bytes(range(256)) * 1000)

    assert archive(tmp_path, "archive_wal.sh", segment, "0001", **place) == 0
    assert archive(tmp_path, "restore_wal.sh", "0001", back, **place) == 0
    assert back.read_bytes() == segment.read_bytes()


def test_a_segment_may_be_archived_twice_but_never_be_replaced(
    place: dict[str, str], tmp_path: Path
) -> None:
    segment, other, back = tmp_path / "segment", tmp_path / "other", tmp_path / "back"
    segment.write_bytes(b"one")
    other.write_bytes(b"two")

    assert archive(tmp_path, "archive_wal.sh", segment, "0001", **place) == 0
    assert archive(tmp_path, "archive_wal.sh", segment, "0001", **place) == 0
    assert archive(tmp_path, "archive_wal.sh", other, "0001", **place) == 1
    assert archive(tmp_path, "restore_wal.sh", "0001", back, **place) == 0
    assert back.read_bytes() == b"one"


def test_the_end_of_the_archive_is_told_from_an_archive_that_is_away(
    place: dict[str, str], tmp_path: Path
) -> None:
    away = {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1", "BACKUP_DIR": str(tmp_path / "nowhere")}

    assert archive(tmp_path, "restore_wal.sh", "0001", tmp_path / "back", **place) == 1
    assert archive(tmp_path, "restore_wal.sh", "0001", tmp_path / "back", **(place | away)) == 255
