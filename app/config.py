"""Settings: read once from the environment, validated whole, frozen afterwards."""

from __future__ import annotations

import base64
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from cryptography.fernet import Fernet
from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from app.domain.errors import ConfigurationError
from app.domain.image_header import MAX_PIXELS
from app.domain.receivers import parse_receiver
from app.domain.storage import ObjectLocation

# A random key has more different characters than this, a made-up one often not.
_FEW_CHARACTERS = 8
_ED25519_BYTES = 32

CommaList = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """Everything that an operator may choose; fields are the variables' names in lower case."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        case_sensitive=False,
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    facequeue_env: Literal["development", "production", "test"] = Field(
        default="production", description="`production` refuses placeholder secrets"
    )
    secret_key: str = Field(
        min_length=16, description="Signs page cursors; 32 random bytes or more"
    )
    encryption_keys: CommaList = Field(
        description="Fernet keys for secrets at rest, comma separated; the first one encrypts"
    )

    database_url: str = Field(description="PostgreSQL, as role facequeue_app")
    database_queue_url: str = Field(description="PostgreSQL, as role facequeue_queue")
    database_owner_url: str | None = Field(
        default=None, description="PostgreSQL, as role facequeue_owner: migrations, maintenance"
    )
    database_replica_url: str | None = Field(
        default=None, description="A read replica for lists and exports; unset: the primary"
    )
    database_pool_size: int = Field(default=5, ge=1, description="Connections a process and role")

    redis_url: str = Field(
        default="redis://127.0.0.1:6379/0", description="Redis, where the next two are unset"
    )
    celery_broker_url: str | None = Field(default=None, description="The broker; Redis or RabbitMQ")
    cache_url: str | None = Field(default=None, description="Redis database for rate limits")

    aws_access_key_id: str | None = Field(default=None, description="S3 key; unset: boto3's chain")
    aws_secret_access_key: str | None = Field(default=None, description="S3 secret")
    aws_storage_bucket_name: str = Field(description="Bucket for uploaded images")
    aws_s3_region_name: str = Field(default="us-east-1", description="S3 region")
    aws_endpoint_url_s3: str | None = Field(default=None, description="S3 endpoint; unset: AWS")

    face_recognition_model: str = Field(default="SFace", description="Model of new collections")
    face_detection_confidence: float = Field(
        default=0.7, ge=0.1, le=0.99, description="Detections below this score are dropped"
    )
    face_engine: Literal["auto", "onnxruntime", "openvino", "tensorflow"] = Field(
        default="auto", description="Inference engine; `auto` takes the best one installed"
    )
    face_device: Literal["cpu", "cuda", "tensorrt"] = Field(
        default="cpu", description="Where ONNX Runtime computes; a GPU needs requirements-gpu.txt"
    )
    face_rotation: Literal["off", "gated", "full"] = Field(
        default="gated", description="Search for turned heads: never, when odd, always"
    )
    face_flip_averaging: bool = Field(
        default=False, description="Embed each face mirrored too; makes it another model"
    )
    models_dir: Path = Field(
        default=Path(".facequeue/models"), description="Where verified model weights lie"
    )
    allow_noncommercial_models: bool = Field(
        default=False, description="Accept models whose licence forbids commercial use"
    )
    liveness_detection_enabled: bool = Field(
        default=True, description="Offer `options.liveness` where a liveness model is installed"
    )
    anti_spoofing_enabled: bool = Field(
        default=False, description="Check liveness in every job; needs a liveness model to start"
    )

    max_upload_size: int = Field(default=10_485_760, ge=1024, description="Bytes of one image")
    max_image_pixels: int = Field(
        default=MAX_PIXELS,
        ge=1_000_000,
        le=400_000_000,
        description="Width times height of one image; decoding the largest takes 20 bytes a pixel",
    )
    max_job_items: int = Field(default=10_000, ge=1, description="Items of one job request")
    shard_size: int = Field(default=256, ge=1, le=10_000, description="Items one task processes")

    gunicorn_workers: int = Field(default=1, ge=1, description="API processes of a host")
    celery_worker_concurrency: int = Field(default=1, ge=1, description="Recognition children")
    lease_seconds: float = Field(default=30.0, gt=0, description="Life of a lease not renewed")
    hint_seconds: float = Field(default=20.0, gt=0, description="Life of a broker message's hint")
    recognise_seconds: float = Field(
        default=60.0, gt=0, description="After this a task hands the rest of its shard back"
    )

    enable_webhooks: bool = Field(default=True, description="Deliver webhooks")
    webhook_allowed_hosts: CommaList = Field(
        default=(),
        description="Private hosts, addresses or CIDRs that webhooks may reach, each with `:PORT`; "
        "without one, ports 80 and 443",
    )
    enable_analytics: bool = Field(default=True, description="Run the job statistics chore")
    max_webhook_endpoints: int = Field(default=20, ge=1, description="Webhook endpoints a tenant")
    enable_api_rate_limiting: bool = Field(
        default=True, description="Limit requests per key and tenant, and wrong keys per address"
    )
    api_rate_limit_per_minute: int = Field(default=600, ge=1, description="Requests a key a minute")
    api_tenant_rate_limit_per_minute: int = Field(
        default=6000, ge=1, description="Requests a minute of all keys of a tenant"
    )
    api_key_days: int = Field(
        default=365, ge=0, le=36_500, description="Life of a key made without an expiry; 0: no end"
    )
    max_api_keys: int = Field(default=100, ge=1, description="Live keys a tenant may make")
    trusted_proxies: CommaList = Field(
        default=(),
        description="Addresses or CIDRs whose `X-Forwarded-For` is believed: the proxies before us",
    )
    accept_unrecorded_access: bool = Field(
        default=False, description="Production may run with ENABLE_AUDIT_LOGGING=false"
    )
    enable_audit_logging: bool = Field(default=True, description="Write audit events")
    audit_signing_key: str | None = Field(
        default=None, description="Ed25519 seed that signs checkpoints, 32 bytes in base64"
    )
    audit_verify_keys: CommaList = Field(
        default=(), description="Further public keys of checkpoints, base64, comma separated"
    )
    audit_checkpoint_bucket: str | None = Field(
        default=None, description="`s3://bucket/prefix` to which checkpoints are exported"
    )
    cors_allowed_origins: CommaList = Field(default=(), description="Origins of browser clients")

    retention_days_jobs: int = Field(default=30, ge=1, description="Days a finished job is kept")
    retention_days_images: int = Field(default=30, ge=1, description="Days an upload is kept")
    job_queue_days: int = Field(default=7, ge=1, description="Days until a queued job expires")

    sentry_dsn: str | None = Field(default=None, description="Sentry project; unset: off")
    prometheus_metrics_enabled: bool = Field(default=True, description="Serve GET /metrics")
    prometheus_multiproc_dir: Path | None = Field(
        default=None, description="Folder in which processes of a host share their metrics"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Lowest level that is logged"
    )

    chroma_host: str | None = Field(default=None, description="ChromaDB host; unset: pgvector")
    chroma_port: int = Field(default=8000, description="ChromaDB port")

    email_host: str | None = Field(default=None, description="SMTP host; unset: no mail")
    email_port: int = Field(default=587, description="SMTP port")
    email_host_user: str | None = Field(default=None, description="SMTP user")
    email_host_password: str | None = Field(default=None, description="SMTP password")
    email_use_tls: bool = Field(default=True, description="STARTTLS on the SMTP connection")
    email_from: str = Field(default="facequeue@localhost", description="Sender of mails")

    @field_validator(
        *("encryption_keys", "webhook_allowed_hosts", "cors_allowed_origins", "trusted_proxies"),
        "audit_verify_keys",
        mode="before",
    )
    @classmethod
    def _split_commas(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("encryption_keys")
    @classmethod
    def _fernet_keys(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        if not keys:
            raise ValueError("at least one Fernet key is needed")
        for key in keys:
            try:
                Fernet(key)
            except ValueError as error:
                raise ValueError("each key must be 32 url-safe base64 bytes") from error
        return keys

    @field_validator("webhook_allowed_hosts")
    @classmethod
    def _receivers(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        for position, entry in enumerate(entries, start=1):
            try:
                parse_receiver(entry)
            except ValueError as error:
                raise ValueError(f"entry {position}: {error}") from error
        return entries

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        for position, entry in enumerate(entries, start=1):
            try:
                ip_network(entry)
            except ValueError as error:
                raise ValueError(f"entry {position} is neither an address nor a CIDR") from error
        return entries

    @field_validator("database_url", "database_queue_url", "database_owner_url")
    @classmethod
    def _database_address(cls, url: str | None) -> str | None:
        try:
            valid = url is None or make_url(url).get_backend_name() == "postgresql"
        except ArgumentError:
            valid = False
        if not valid:
            raise ValueError("not of the form postgresql+psycopg2://ROLE:PASSWORD@HOST:PORT/NAME")
        return url

    @field_validator("enable_audit_logging")
    @classmethod
    def _unrecorded_access_accepted(cls, value: bool, known: ValidationInfo) -> bool:
        said_twice = known.data.get("accept_unrecorded_access")
        if not value and known.data.get("facequeue_env") == "production" and not said_twice:
            raise ValueError(
                "without audit events nobody can say who read whose faces; production accepts that "
                "with ACCEPT_UNRECORDED_ACCESS=true only"
            )
        return value

    @field_validator("audit_signing_key", "audit_verify_keys")
    @classmethod
    def _ed25519_keys(cls, value: Any) -> Any:
        for key in (value,) if isinstance(value, str) else value or ():
            if not _is_ed25519(key):
                raise ValueError("an Ed25519 key is 32 bytes in base64")
        return value

    @field_validator("audit_checkpoint_bucket")
    @classmethod
    def _checkpoint_place(cls, value: str | None) -> str | None:
        if value is not None:
            ObjectLocation.parse(value if "/" in value.removeprefix("s3://") else value + "/")
        return value

    @field_validator("secret_key", "encryption_keys")
    @classmethod
    def _no_placeholder(cls, value: Any, known: ValidationInfo) -> Any:
        secrets = (value,) if isinstance(value, str) else value
        if known.data.get("facequeue_env") in {"development", "test"}:
            return value
        if any("change" in s.lower() or len(set(s)) < _FEW_CHARACTERS for s in secrets):
            raise ValueError("a placeholder; production needs a secret of its own")
        return value

    @property
    def broker_url(self) -> str:
        """Where tasks are published."""
        return self.celery_broker_url or self.redis_url

    @property
    def rate_limit_url(self) -> str:
        """Where request counters live."""
        return self.cache_url or self.redis_url


def _is_ed25519(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == _ED25519_BYTES
    except ValueError:
        return False


def load_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment; `overrides` win (tests).

    Raises:
        ConfigurationError: names every variable that is missing or wrong, in one message.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        problems = [
            f"  {item['loc'][0]}".upper() + f": {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors()
        ]
        # Without the cause, which quotes the values.
        raise ConfigurationError(
            "The configuration is not usable:\n"
            + "\n".join(problems)
            + "\nSee .env.example for every variable and what it means."
        ) from None
