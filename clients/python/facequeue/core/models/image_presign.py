from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..models.image_content_type import ImageContentType, check_image_content_type
from ..types import UNSET, Unset

T = TypeVar("T", bound="ImagePresign")


@_attrs_define
class ImagePresign:
    """
    Attributes:
        content_type (ImageContentType):
        bytes_ (int): How many, exactly; at most `MAX_UPLOAD_SIZE`
        sha256 (str | Unset): In hexadecimal; S3 then takes no other bytes
    """

    content_type: ImageContentType
    bytes_: int
    sha256: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        content_type: str = self.content_type

        bytes_ = self.bytes_

        sha256 = self.sha256

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "content_type": content_type,
                "bytes": bytes_,
            }
        )
        if sha256 is not UNSET:
            field_dict["sha256"] = sha256

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        content_type = check_image_content_type(d.pop("content_type"))

        bytes_ = d.pop("bytes")

        sha256 = d.pop("sha256", UNSET)

        image_presign = cls(
            content_type=content_type,
            bytes_=bytes_,
            sha256=sha256,
        )

        return image_presign
