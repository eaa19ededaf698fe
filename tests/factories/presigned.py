"""Uploads that a client sends to S3 itself."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any

from tests.factories.callers import Caller


def presign(caller: Caller, content: bytes, **changes: Any) -> dict[str, Any]:
    """What POST /images/presign answers for these bytes of a PNG."""
    body = {"content_type": "image/png", "bytes": len(content), **changes}
    answer = caller.post("/images/presign", json=body)
    assert answer.status_code == 201, answer.get_json()
    presigned: dict[str, Any] = answer.get_json()
    return presigned


def send(presigned: dict[str, Any], content: bytes, **headers: str) -> int:
    """Send bytes to S3 as told, but for these headers; the status that it answers with."""
    upload = presigned["upload"]
    request = urllib.request.Request(  # noqa: S310 - the URL is S3's
        upload["url"], content, {**upload["headers"], **headers}, method=upload["method"]
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code
