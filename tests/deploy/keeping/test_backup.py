"""Backups of the database, the configuration and the uploads."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest

from app.adapters.s3 import ObjectStore
from app.config import load_settings
from app.domain.storage import ObjectLocation
from scripts.keeping.sets import BackupSets
from tests.deploy.keeping.installation import Installation
from tests.deploy.keeping.living_world import LivingWorld
from tests.deploy.programs import needs

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("keeping")]


@pytest.fixture
def bucket(installation: Installation) -> str:
    """A place in S3 of the test's own, as AWS_S3_BACKUP_BUCKET has it."""
    return f"s3://{installation.environment['AWS_STORAGE_BUCKET_NAME']}/kept-{uuid4().hex}"


def metric(installation: Installation, kind: str, name: str) -> float:
    text = Path(
        installation.environment["BACKUP_METRICS_DIR"], f"facequeue_backup_{kind}.prom"
    ).read_text()
    [value] = re.findall(rf'^facequeue_backup_{name}{{kind="{kind}"}} (\S+)$', text, re.MULTILINE)
    return float(value)


def age(folder: Path, days: int) -> Path:
    """Let a backup be as old as that."""
    year = int(folder.name[:4]) - days // 365
    return folder.rename(folder.with_name(f"{year}{folder.name[4:]}"))


def test_a_backup_holds_what_a_restore_needs_and_no_password(installation: Installation) -> None:
    with installation.application():
        LivingWorld.create()

    backup = installation.back_up()

    assert {path.name for path in backup.iterdir()} == {
        *("facequeue.dump", "schema.sql", "roles.sql", "manifest.json", "SHA256SUMS")
    }
    manifest = json.loads((backup / "manifest.json").read_text())
    assert manifest["counts"]["faces"] == 60
    assert len(manifest["searches"]["face_vectors_128"]) == 8
    assert "facequeue_owner" in (backup / "roles.sql").read_text()
    assert "PASSWORD" not in (backup / "roles.sql").read_text()
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=backup, check=True)  # noqa: S607 - coreutils


def test_only_its_owner_may_read_a_backup(installation: Installation) -> None:
    backup = installation.back_up()

    modes = {path.stat().st_mode & 0o077 for path in (backup, *backup.iterdir())}
    assert modes == {0}


def test_a_backup_says_when_it_succeeded_how_large_it_is_and_how_long_it_took(
    installation: Installation,
) -> None:
    backup = installation.back_up()

    assert metric(installation, "database", "last_status") == 1
    assert metric(installation, "database", "size_bytes") == sum(
        path.stat().st_size for path in backup.iterdir()
    )
    assert metric(installation, "database", "duration_seconds") > 0
    assert metric(installation, "database", "last_success_timestamp_seconds") > 1e9


def test_a_failed_backup_keeps_the_time_of_the_last_success_and_leaves_nothing(
    installation: Installation,
) -> None:
    backup = installation.back_up()
    before = metric(installation, "database", "last_success_timestamp_seconds")
    installation.destroy()

    failed = installation.run("backup_database.sh")

    assert failed.returncode == 1
    assert "does not let us in" in failed.stderr
    assert metric(installation, "database", "last_status") == 0
    assert metric(installation, "database", "last_success_timestamp_seconds") == before
    assert [path.name for path in backup.parent.iterdir() if path.is_dir()] == [backup.name]


def test_metrics_that_cannot_be_written_cost_no_backup(
    installation: Installation, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()

    done = installation.run("backup_database.sh", BACKUP_METRICS_DIR=str(tmp_path / "file/folder"))

    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if "no metrics in BACKUP_METRICS_DIR" in line]
    assert (Path(done.stdout.strip()) / "SHA256SUMS").is_file()


def test_programs_older_than_the_server_are_refused(
    installation: Installation, tmp_path: Path
) -> None:
    old = tmp_path / "bin"
    old.mkdir()
    (old / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 12.1'\n")
    (old / "pg_dump").chmod(0o755)

    refused = installation.run("backup_database.sh", PG_BIN=str(old))

    assert refused.returncode == 3
    assert f"found: 12 in {old}" in refused.stderr
    assert "Install postgresql-client-" in refused.stderr


def test_an_old_program_on_the_path_is_passed_over(
    installation: Installation, tmp_path: Path
) -> None:
    (tmp_path / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 12.1'\n")
    (tmp_path / "pg_dump").chmod(0o755)

    installation.back_up(PATH=f"{tmp_path}:{os.environ['PATH']}")


def test_old_backups_go_but_never_the_last_good_one(
    installation: Installation, bucket: str
) -> None:
    first = age(installation.back_up(AWS_S3_BACKUP_BUCKET=bucket), 365)
    unfinished = first.with_name(first.name.replace("T", "T0")[:-2] + "Z")
    shutil.copytree(first, unfinished)
    (unfinished / "SHA256SUMS").unlink()

    second = installation.back_up(AWS_S3_BACKUP_BUCKET=bucket)
    assert not first.exists()

    lonely = age(second, 365)
    sets = BackupSets(lonely.parent, None, dt.timedelta(days=30))
    assert sets.prune() == []
    assert sets.here() == [lonely.name]


def test_a_backup_that_was_copied_to_the_bucket_is_restored_from_there(
    installation: Installation, bucket: str
) -> None:
    with installation.application():
        living = LivingWorld.create()
        before = living.answers()
    installation.back_up(AWS_S3_BACKUP_BUCKET=bucket)
    shutil.rmtree(installation.backups)
    installation.destroy()

    installation.done("restore_database.sh", "latest", AWS_S3_BACKUP_BUCKET=bucket)

    with installation.application():
        assert living.answers() == before


def test_the_drill_says_that_the_latest_backup_is_whole(installation: Installation) -> None:
    with installation.application():
        LivingWorld.create()
    installation.back_up()

    report = json.loads(installation.done("restore_drill.sh", "--json"))

    assert (report["same"], report["faces"], report["searches"]) == (True, 60, 8)
    assert metric(installation, "drill", "last_status") == 1


def test_the_drill_fails_for_a_backup_that_is_not_what_it_says(installation: Installation) -> None:
    backup = installation.back_up()
    manifest = backup / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"tenants": 0', '"tenants": 1'))
    sums = "sha256sum facequeue.dump schema.sql roles.sql manifest.json > SHA256SUMS"
    subprocess.run(["sh", "-c", sums], cwd=backup, check=True)  # noqa: S603, S607 - a constant

    failed = installation.run("restore_drill.sh", "--json")

    assert failed.returncode == 1
    assert "tenants has 0 rows, not 1" in json.loads(failed.stdout)["why"]
    assert metric(installation, "drill", "last_status") == 0


@needs("age")
def test_only_the_private_key_opens_a_backup_of_the_configuration(
    installation: Installation, tmp_path: Path
) -> None:
    made = subprocess.run(["age-keygen"], capture_output=True, text=True, check=True)  # noqa: S607 - the tool of this machine
    (tmp_path / "key").write_text(made.stdout)
    [recipient] = re.findall(r"public key: (age1\w+)", made.stdout)
    config = tmp_path / "etc"
    config.mkdir()
    (config / "facequeue.env").write_text("ENCRYPTION_KEYS=hush-hush\n")

    told = installation.done("backup_config.sh", str(config), BACKUP_AGE_RECIPIENT=recipient)

    [archive] = Path(told.strip()).glob("*.age")
    assert b"hush-hush" not in archive.read_bytes()
    opened = subprocess.run(  # noqa: S603 - the tool of this machine
        ["age", "--decrypt", "--identity", tmp_path / "key", archive],  # noqa: S607
        capture_output=True,
        check=True,
    )
    listed = subprocess.run(
        ["tar", "--extract", "--gzip", "--to-stdout"],  # noqa: S607 - a tool of every machine
        input=opened.stdout,
        capture_output=True,
        check=True,
    )
    assert listed.stdout == b"ENCRYPTION_KEYS=hush-hush\n"


def test_without_a_recipient_the_configuration_is_not_backed_up(
    installation: Installation,
) -> None:
    refused = installation.run("backup_config.sh")

    assert refused.returncode == 3
    assert "age-keygen" in refused.stderr


def test_uploads_are_copied_once_and_go_after_they_are_gone(
    installation: Installation, bucket: str
) -> None:
    store = ObjectStore.from_settings(load_settings())
    name = installation.environment["AWS_STORAGE_BUCKET_NAME"]
    store.delete_below(ObjectLocation(name, "uploads/"))
    uploads = ObjectLocation(name, "uploads/t/a")
    store.write(uploads, b"picture", "image/png")

    def copied(*options: str) -> str:
        return installation.done("backup_uploads.sh", *options, AWS_S3_BACKUP_BUCKET=bucket)

    assert copied() == "1 uploads copied, 0 removed, 0 gone\n"
    assert copied() == "0 uploads copied, 0 removed, 0 gone\n"
    store.delete(uploads)
    assert copied("--restore") == "1 uploads copied back\n"
    assert store.read(uploads) == b"picture"
    store.delete(uploads)
    assert copied() == "0 uploads copied, 0 removed, 1 gone\n"
    assert copied("--restore") == "0 uploads copied back\n"
    assert copied() == "0 uploads copied, 0 removed, 1 gone\n"
    noted = ObjectLocation.parse(f"{bucket}/bucket/gone.json")
    week_ago = (dt.datetime.now(dt.UTC) - dt.timedelta(days=7)).isoformat()
    store.write(noted, json.dumps({"uploads/t/a": week_ago}).encode(), "application/json")
    assert copied() == "0 uploads copied, 1 removed, 0 gone\n"


SCRIPTS = (
    *("backup_database.sh", "backup_base.sh", "backup_config.sh", "backup_uploads.sh"),
    *("restore_database.sh", "restore_pitr.sh", "restore_drill.sh", "restore_wal.sh"),
    *("archive_wal.sh", "export_erasures.sh", "repeat_erasures.sh", "db_maintenance.sh"),
)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_says_what_it_does_and_how_it_ends(
    installation: Installation, script: str
) -> None:
    told = installation.done(script, "--help")

    assert "xit status" in told
    assert len(told.split()) > 50


def test_a_backup_that_fails_keeps_none_after_it_from_being_made(
    installation: Installation,
) -> None:
    done = installation.run("backup_all.sh", "config", "database", BACKUP_AGE_RECIPIENT="")

    assert done.returncode == 1
    assert "failed: config (3); the others were made" in done.stderr
    assert list(installation.backups.glob("database/*/SHA256SUMS"))


def test_a_backup_that_there_is_none_of_is_wrong_usage(installation: Installation) -> None:
    assert installation.run("backup_all.sh", "database", "nonsense").returncode == 2
    assert not installation.backups.exists()
