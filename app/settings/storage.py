"""S3."""

from __future__ import annotations

from pydantic import Field, field_validator

from app.settings.group import SettingsGroup, leads_to


class StorageSettings(SettingsGroup):
    """Where images lie and who we are there."""

    aws_access_key_id: str | None = Field(default=None, description="S3 key; unset: boto3's chain")
    aws_secret_access_key: str | None = Field(default=None, description="S3 secret")
    aws_storage_bucket_name: str = Field(description="Bucket for uploaded images")
    aws_s3_region_name: str = Field(default="us-east-1", description="S3 region")
    aws_endpoint_url_s3: str | None = Field(default=None, description="S3 endpoint; unset: AWS")

    @field_validator("aws_endpoint_url_s3")
    @classmethod
    def _endpoint(cls, url: str | None) -> str | None:
        if url is not None and not leads_to(url, ("http", "https")):
            raise ValueError("not of the form https://HOST:PORT")
        return url
