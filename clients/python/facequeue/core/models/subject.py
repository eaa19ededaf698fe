from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.subject_metadata import SubjectMetadata


T = TypeVar("T", bound="Subject")


@_attrs_define
class Subject:
    """
    Attributes:
        id (UUID):
        created_at (datetime.datetime):
        collection_id (UUID):
        external_id (str):
        metadata (SubjectMetadata): Your own data, up to 16 KiB of JSON
        updated_at (datetime.datetime):
    """

    id: UUID
    created_at: datetime.datetime
    collection_id: UUID
    external_id: str
    metadata: SubjectMetadata
    updated_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        created_at = self.created_at.isoformat()

        collection_id = str(self.collection_id)

        external_id = self.external_id

        metadata = self.metadata.to_dict()

        updated_at = self.updated_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "created_at": created_at,
                "collection_id": collection_id,
                "external_id": external_id,
                "metadata": metadata,
                "updated_at": updated_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.subject_metadata import SubjectMetadata  # noqa: PLC0415

        d = dict(src_dict)
        id = UUID(d.pop("id"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        collection_id = UUID(d.pop("collection_id"))

        external_id = d.pop("external_id")

        metadata = SubjectMetadata.from_dict(d.pop("metadata"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        subject = cls(
            id=id,
            created_at=created_at,
            collection_id=collection_id,
            external_id=external_id,
            metadata=metadata,
            updated_at=updated_at,
        )

        subject.additional_properties = d
        return subject

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
