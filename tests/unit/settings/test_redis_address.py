"""Every form in which the settings may say where Redis is, and what is refused at the start."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from app.adapters.broker import broker_of
from app.adapters.redis_client import redis_of
from app.adapters.redis_faults import redis_fault
from app.adapters.task_queue import make_celery
from app.settings.broker import BrokerSettings
from app.settings.redis_address import RedisAddress

SENTINELS = "sentinel://me:hush%2Fhush%401@one:1,[fd00::2]:2,three/4?service=main"
KOMBU_LOGIN = "me:hush%2Fhush%401"


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in BrokerSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key, its certificate, another key, and one that a password protects."""
    folder = tmp_path_factory.mktemp("pem")
    new_key = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out"
    for command in (
        f"{new_key} key.pem",
        f"{new_key} other.pem",
        f"{new_key} locked.pem -aes256 -pass pass:hush",
        "openssl req -x509 -key key.pem -days 1 -subj /CN=redis -out cert.pem",
    ):
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)  # noqa: S603 - constant
    return folder


def refusal(url: str) -> str:
    with pytest.raises(ValueError, match="redis_url") as refused:
        BrokerSettings(redis_url=url)
    return str(refused.value)


def test_an_address_is_read_to_its_last_part() -> None:
    assert RedisAddress.parse(SENTINELS) == RedisAddress(
        hosts=(("one", 1), ("fd00::2", 2), ("three", 26379)),
        username="me",
        password="hush/hush@1",
        number=4,
        service="main",
        tls=None,
    )


def test_an_address_of_tls_trusts_nobody_blindly_unless_told_to() -> None:
    def tls(query: str) -> object:
        return RedisAddress.parse(f"rediss://host{query}").tls

    assert tls("") == tls("?ssl_cert_reqs=CERT_REQUIRED") == {"ssl_cert_reqs": "required"}
    assert tls("/0?ssl_cert_reqs=none") == {"ssl_cert_reqs": "none"}


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sentinel://one,two/0", "service=NAME"),
        ("sentinel://one;sentinel://two/0?service=main", "parted by commas"),
        ("sentinel://one,/0?service=main", "a host is HOST"),
        ("sentinel://one/main?service=main", "number of a database"),
        ("redis://one,two/0", "begin with sentinel://"),
        ("redis://one/0?service=main", "no parameter service"),
        ("redis://one/0?ssl_ca_certs=/ca.pem", "is for TLS"),
        ("rediss://one/0?ssl_ca_cert=/ca.pem", "no parameter ssl_ca_cert;"),
        ("rediss://one/0?ssl_cert_reqs=hush", "required or none"),
        ("rediss://one/0?ssl_ca_certs=", "is empty"),
        ("rediss://one/0?ssl_ca_certs=/no/such.pem", "/no/such.pem is no file of CA"),
        ("rediss://one/0?ssl_keyfile=/key.pem", "needs ssl_certfile"),
    ],
)
def test_an_address_that_cannot_work_is_refused_with_the_reason(url: str, reason: str) -> None:
    assert reason in refusal(url)


def test_files_of_tls_must_be_what_they_are_named_for(pem: Path) -> None:
    base = f"rediss://one/0?ssl_ca_certs={pem}/cert.pem&ssl_certfile={pem}/cert.pem"

    BrokerSettings(redis_url=f"{base}&ssl_keyfile={pem}/key.pem")

    assert "is no file of CA" in refusal(f"rediss://one/0?ssl_ca_certs={pem}/key.pem")
    assert "KEY_VALUES_MISMATCH" in refusal(f"{base}&ssl_keyfile={pem}/other.pem")
    assert "needs a password" in refusal(f"{base}&ssl_keyfile={pem}/locked.pem")


def test_a_password_is_in_no_refusal_and_in_no_print() -> None:
    assert "hush" not in refusal("redis://:hush@one/0?hash=1") + repr(RedisAddress.parse(SENTINELS))


def test_kombu_is_told_of_each_sentinel_in_its_own_form() -> None:
    settings = BrokerSettings(celery_broker_url=SENTINELS, redis_sentinel_password="hush")

    broker = broker_of(settings)

    assert broker.url == (
        f"sentinel://{KOMBU_LOGIN}@one:1/4;sentinel://{KOMBU_LOGIN}@[fd00::2]:2/4"
        f";sentinel://{KOMBU_LOGIN}@three:26379/4"
    )
    assert broker.transport_options["master_name"] == "main"
    assert broker.transport_options["sentinel_kwargs"]["password"] == "hush"


@pytest.mark.parametrize("name", ["CELERY_BROKER_URL", "CELERY_BROKER_WRITE_URL"])
def test_celery_connects_where_the_settings_say_whatever_the_environment_does(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    settings = BrokerSettings(redis_url="redis://:hush@here:1/2")
    monkeypatch.setenv(name, "redis://elsewhere/0")

    celery = make_celery(settings)

    for connection in (
        celery.connection(),
        celery.connection_for_read(),
        celery.connection_for_write(),
        celery.broker_connection(),
    ):
        assert connection.as_uri(include_password=True) == "redis://:hush@here:1/2"


def test_counters_behind_sentinels_are_asked_with_both_passwords() -> None:
    url = "sentinels://:hush@one/3?service=main"

    pool = redis_of(BrokerSettings(cache_url=url, redis_sentinel_password="hushed")).connection_pool

    known = pool.connection_kwargs
    assert (known["password"], known["db"], known["ssl_cert_reqs"]) == ("hush", 3, "required")
    (sentinel,) = pool.sentinel_manager.sentinels
    assert sentinel.connection_pool.connection_kwargs["password"] == "hushed"
    assert "SSL" in sentinel.connection_pool.connection_class.__name__


def test_a_fault_of_tls_is_told_however_it_is_wrapped() -> None:
    def write() -> None:
        try:
            raise ssl.SSLEOFError(8, "EOF occurred in violation of protocol")
        except OSError as error:
            raise ConnectionError("while writing") from error

    with pytest.raises(ConnectionError) as wrapped:
        write()

    assert redis_fault(wrapped.value) == "does not speak TLS as it is spoken to"
