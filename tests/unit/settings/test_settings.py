"""What an operator reads when the environment is not usable, and what never is in it."""

from __future__ import annotations

import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from app.config import Settings, load_settings
from app.domain.errors import ConfigurationError

ROOT = Path(__file__).parents[3]

USABLE = {
    "FACEQUEUE_ENV": "production",
    "SECRET_KEY": "5f0c9d2ab17e4866",
    "ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "DATABASE_URL": "postgresql+psycopg2://app:hush-hush@127.0.0.1:1/c",
    "DATABASE_QUEUE_URL": "postgresql+psycopg2://queue:hush-hush@127.0.0.1:1/c",
    "AWS_STORAGE_BUCKET_NAME": "bucket",
}


@pytest.fixture(autouse=True)
def usable(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment with these variables and no other setting."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in USABLE.items():
        monkeypatch.setenv(name, value)


def refusal() -> ConfigurationError:
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    return refused.value


def test_these_settings_are_accepted() -> None:
    assert load_settings().facequeue_env == "production"


@pytest.mark.parametrize(
    "entry",
    ["10.0.0.0/33", "host:http", "host:0", "host:65536", "http://host", "::1:x", "[host]:80", "*"],
)
def test_a_receiver_that_cannot_be_read_is_refused_by_its_position(
    monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    monkeypatch.setenv("WEBHOOK_ALLOWED_HOSTS", f"hooks.internal:8443,{entry}")

    assert "WEBHOOK_ALLOWED_HOSTS: entry 2: " in str(refusal())


@pytest.mark.parametrize("entry", ["proxy.internal", "10.0.0.0/33", "10.0.0.1/8", "*"])
def test_a_proxy_that_is_no_network_is_refused_by_its_position(
    monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", f"127.0.0.1,{entry}")

    assert "TRUSTED_PROXIES: entry 2 " in str(refusal())


def test_all_that_is_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_QUEUE_URL")
    monkeypatch.setenv("SECRET_KEY", "change-me-change-me")
    monkeypatch.setenv("ENCRYPTION_KEYS", "short")
    monkeypatch.setenv("SHARD_SIZE", "many")
    monkeypatch.setenv("DATABASE_OWNER_URL", "localhost")

    named = [line.split(":")[0].strip() for line in str(refusal()).splitlines()[1:-1]]

    assert sorted(named) == [
        "DATABASE_OWNER_URL",
        "DATABASE_QUEUE_URL",
        "ENCRYPTION_KEYS",
        "SECRET_KEY",
        "SHARD_SIZE",
    ]


def test_a_refusal_tells_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "change-me-hush-hush")
    monkeypatch.setenv("ENCRYPTION_KEYS", "hush-hush")
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://owner:hush-hush@")

    assert "hush-hush" not in "".join(traceback.format_exception(refusal()))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "please-change-this-key"),
        ("SECRET_KEY", "secret-secret-secret"),
        ("SECRET_KEY", "0123012301230123"),
        ("ENCRYPTION_KEYS", "A" * 43 + "="),
    ],
)
def test_production_refuses_a_placeholder(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert f"{name}: " in str(refusal())

    monkeypatch.setenv("FACEQUEUE_ENV", "development")
    load_settings()


def test_production_runs_without_audit_events_only_when_it_is_said_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ENABLE_AUDIT_LOGGING", "false")
    [problem] = str(refusal()).splitlines()[1:-1]
    assert problem.startswith("  ENABLE_AUDIT_LOGGING: ")
    assert "ACCEPT_UNRECORDED_ACCESS=true" in problem

    monkeypatch.setenv("ACCEPT_UNRECORDED_ACCESS", "true")
    assert not load_settings().enable_audit_logging

    monkeypatch.delenv("ACCEPT_UNRECORDED_ACCESS")
    monkeypatch.setenv("FACEQUEUE_ENV", "development")
    assert not load_settings().enable_audit_logging


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUDIT_SIGNING_KEY", "hush-hush"),
        ("AUDIT_SIGNING_KEY", "aHVzaA=="),
        ("AUDIT_VERIFY_KEYS", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=,hush-hush"),
        ("AUDIT_CHECKPOINT_BUCKET", "hush-hush"),
        ("AUDIT_CHECKPOINT_BUCKET", "s3:///hush-hush"),
    ],
)
def test_what_the_audit_log_cannot_work_with_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    assert [line.split(":")[0].strip() for line in str(refusal()).splitlines()[1:-1]] == [name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_REPLICA_URL", "nonsense"),
        ("DATABASE_REPLICA_URL", "mysql://db/c"),
        ("REDIS_URL", "nonsense"),
        ("CACHE_URL", "redis://"),
        ("CACHE_URL", "amqp://broker/"),
        ("CELERY_BROKER_URL", "kafka://broker"),
        ("CELERY_BROKER_URL", "redis://broker:port/0"),
        ("AWS_ENDPOINT_URL_S3", "s3.internal:9000"),
        ("AWS_ENDPOINT_URL_S3", "https://"),
        ("EMAIL_PORT", "70000"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    assert [line.split(":")[0].strip() for line in str(refusal()).splitlines()[1:-1]] == [name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_REPLICA_URL", "postgresql+psycopg2://app:hush@replica/c"),
        ("REDIS_URL", "rediss://:hush@redis.internal:6380/0?ssl_cert_reqs=required"),
        ("CELERY_BROKER_URL", "amqp://me:hush@rabbit:5672//"),
        ("CELERY_BROKER_URL", "redis://:hush@[fd00::1]:6379/0"),
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:8333"),
    ],
)
def test_an_address_that_leads_somewhere_is_accepted(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    assert getattr(load_settings(), name.lower()) == value


def test_a_variable_that_is_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "")
    monkeypatch.setenv("SHARD_SIZE", "")

    assert str(refusal()).splitlines()[1:-1] == ["  SECRET_KEY: Field required"]


def test_a_limit_on_pixels_fits_the_phones_that_are_sold(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().max_image_pixels >= 12_000 * 9_000

    for absurd in ("108", "0", "-1", "1e12", "4000000000"):
        monkeypatch.setenv("MAX_IMAGE_PIXELS", absurd)
        assert "MAX_IMAGE_PIXELS: " in str(refusal())


@pytest.mark.parametrize("entry_point", ["wsgi", "celery_worker", "workers.dispatcher"])
def test_a_process_that_cannot_start_says_why_and_nothing_else(entry_point: str) -> None:
    ended = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-m", entry_point],
        cwd=ROOT,
        env={"SECRET_KEY": USABLE["SECRET_KEY"]},
        check=False,
        capture_output=True,
        text=True,
    )

    assert ended.stderr.splitlines() == [
        "The configuration is not usable:",
        "  ENCRYPTION_KEYS: Field required",
        "  DATABASE_URL: Field required",
        "  DATABASE_QUEUE_URL: Field required",
        "  AWS_STORAGE_BUCKET_NAME: Field required",
        "See .env.example for every variable and what it means.",
    ]
    # Which tells gunicorn, too, that another try is of no use.
    assert ended.returncode == 3


@pytest.mark.parametrize("folder_of", ["FACEQUEUE_SECRETS_DIR", "CREDENTIALS_DIRECTORY"])
def test_a_secret_may_lie_in_a_file_that_bears_its_name(
    folder_of: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SECRET_KEY")
    (tmp_path / "secret_key").write_text("a1b2c3d4e5f60718293a\n")
    monkeypatch.setenv(folder_of, str(tmp_path))

    assert load_settings().secret_key == "a1b2c3d4e5f60718293a"


def test_a_variable_wins_over_the_file_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret_key").write_text("a1b2c3d4e5f60718293a")
    monkeypatch.setenv("FACEQUEUE_SECRETS_DIR", str(tmp_path))

    assert load_settings().secret_key == USABLE["SECRET_KEY"]


def test_a_file_that_is_empty_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY")
    for number, folder_of in enumerate(("FACEQUEUE_SECRETS_DIR", "CREDENTIALS_DIRECTORY")):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "secret_key").write_text("\n")
        (folder / "shard_size").write_text("")
        monkeypatch.setenv(folder_of, str(folder))
    assert str(refusal()).splitlines()[1:-1] == ["  SECRET_KEY: Field required"]

    (tmp_path / "0" / "secret_key").write_text("a1b2c3d4e5f60718293a")
    assert load_settings().secret_key == "a1b2c3d4e5f60718293a"

    (tmp_path / "1" / "secret_key").write_text("f60718293aa1b2c3d4e5")
    assert load_settings().secret_key == "f60718293aa1b2c3d4e5"


def test_a_folder_of_secrets_that_is_not_there_is_refused_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEQUEUE_SECRETS_DIR", str(tmp_path / "gone"))

    assert "FACEQUEUE_SECRETS_DIR" in str(refusal())
