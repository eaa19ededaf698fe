"""S3."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from app.settings.group import SettingsGroup, leads_to


class StorageSettings(SettingsGroup):
    """Where images lie and who we are there."""

    aws_access_key_id: str | None = Field(default=None, description="S3 key; unset: boto3's chain")
    aws_secret_access_key: str | None = Field(default=None, description="S3 secret")
    aws_storage_bucket_name: str = Field(description="Bucket for uploaded images")
    aws_s3_region_name: str = Field(default="us-east-1", description="S3 region")
    aws_endpoint_url_s3: str | None = Field(default=None, description="S3 endpoint; unset: AWS")
    aws_s3_public_endpoint_url: str | None = Field(
        default=None, description="S3 as clients reach it, for presigned uploads; unset: as we do"
    )
    aws_s3_server_side_encryption: Literal["AES256", "aws:kms"] | None = Field(
        default=None, description="How S3 encrypts what we write; unset: as the bucket says"
    )
    aws_s3_kms_key_id: str | None = Field(
        default=None, description="Key of `aws:kms`; unset: the account's own for S3"
    )
    presigned_upload_seconds: int = Field(
        default=900, ge=60, le=86_400, description="Life of a presigned upload's URL"
    )

    @field_validator("aws_s3_kms_key_id")
    @classmethod
    def _has_a_use(cls, key: str | None, known: ValidationInfo) -> str | None:
        if key and known.data.get("aws_s3_server_side_encryption") != "aws:kms":
            raise ValueError("it needs AWS_S3_SERVER_SIDE_ENCRYPTION=aws:kms")
        return key

    @field_validator("aws_endpoint_url_s3", "aws_s3_public_endpoint_url")
    @classmethod
    def _endpoint(cls, url: str | None) -> str | None:
        if url is not None and not leads_to(url, ("http", "https")):
            raise ValueError("not of the form https://HOST:PORT")
        return url
