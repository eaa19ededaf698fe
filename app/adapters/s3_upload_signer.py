"""Signs uploads that clients send to S3 themselves."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from app.adapters.s3_encryption import encryption_of
from app.config import Settings
from app.domain.presigned_upload import SignedRequest, UploadPromise
from app.domain.request_errors import Unavailable
from app.domain.storage import ObjectLocation

_SSE = "x-amz-server-side-encryption"


@dataclass(frozen=True)
class UploadSigner:
    """Signs for the address that clients reach; asks no server anything."""

    client: Any
    encryption: dict[str, str]
    seconds: int

    @classmethod
    def from_settings(cls, settings: Settings) -> UploadSigner:
        """Sign with the settings' keys, or those of boto3's own chain."""
        endpoint = settings.aws_s3_public_endpoint_url or settings.aws_endpoint_url_s3
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name=settings.aws_s3_region_name,
            aws_access_key_id=settings.aws_access_key_id,
            aws_secret_access_key=settings.aws_secret_access_key,
            config=Config(
                signature_version="s3v4",  # the older one signs no headers, so bounds nothing
                s3={"addressing_style": "path" if endpoint else "virtual"},
                request_checksum_calculation="when_required",
            ),
        )
        return cls(client, encryption_of(settings), settings.presigned_upload_seconds)

    def sign(self, place: ObjectLocation, promise: UploadPromise) -> SignedRequest:
        """Sign one PUT of so many bytes of this type; its length and headers are signed with it.

        Raises:
            Unavailable: there is nothing to sign with.
        """
        wanted = {
            "Bucket": place.bucket,
            "Key": place.key,
            "ContentType": promise.content_type,
            "ContentLength": promise.byte_count,
            **self.encryption,
        }
        headers = {"Content-Type": promise.content_type, **self._encryption_headers()}
        if promise.sha256 is not None:
            digest = base64.b64encode(promise.sha256).decode()
            wanted["ChecksumSHA256"] = headers["x-amz-checksum-sha256"] = digest
        try:
            url = self.client.generate_presigned_url(
                "put_object", Params=wanted, ExpiresIn=self.seconds
            )
        except BotoCoreError as error:
            raise Unavailable("This service cannot sign uploads just now", retry_after=5) from error
        return SignedRequest(url, "PUT", headers)

    def _encryption_headers(self) -> dict[str, str]:
        names = {"ServerSideEncryption": _SSE, "SSEKMSKeyId": f"{_SSE}-aws-kms-key-id"}
        return {names[parameter]: value for parameter, value in self.encryption.items()}
