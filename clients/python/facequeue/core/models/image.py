from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Image")


@_attrs_define
class Image:
    """
    Attributes:
        id (UUID):
        created_at (datetime.datetime):
        uri (str):
        sha256 (str):
        width (int): As displayed (after EXIF)
        height (int):
        content_type (str):
    """

    id: UUID
    created_at: datetime.datetime
    uri: str
    sha256: str
    width: int
    height: int
    content_type: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        created_at = self.created_at.isoformat()

        uri = self.uri

        sha256 = self.sha256

        width = self.width

        height = self.height

        content_type = self.content_type

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "created_at": created_at,
                "uri": uri,
                "sha256": sha256,
                "width": width,
                "height": height,
                "content_type": content_type,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = UUID(d.pop("id"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        uri = d.pop("uri")

        sha256 = d.pop("sha256")

        width = d.pop("width")

        height = d.pop("height")

        content_type = d.pop("content_type")

        image = cls(
            id=id,
            created_at=created_at,
            uri=uri,
            sha256=sha256,
            width=width,
            height=height,
            content_type=content_type,
        )

        image.additional_properties = d
        return image

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
