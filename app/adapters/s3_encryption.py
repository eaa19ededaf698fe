"""How S3 is to encrypt what we write, and what clients write in our name."""

from __future__ import annotations

from app.config import Settings


def encryption_of(settings: Settings) -> dict[str, str]:
    """Parameters of a PUT; none where the bucket's own rule is to hold."""
    if settings.aws_s3_server_side_encryption is None:
        return {}
    wanted: dict[str, str] = {"ServerSideEncryption": settings.aws_s3_server_side_encryption}
    if settings.aws_s3_kms_key_id:
        wanted["SSEKMSKeyId"] = settings.aws_s3_kms_key_id
    return wanted
