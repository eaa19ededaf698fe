from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.collection_metadata import CollectionMetadata


T = TypeVar("T", bound="Collection")


@_attrs_define
class Collection:
    """
    Attributes:
        id (UUID):
        created_at (datetime.datetime):
        name (str):
        model (str): name@digest
        dimensions (int):
        threshold (float | None):
        target_fpir (float | None):
        face_count (int):
        metadata (CollectionMetadata): Your own data, up to 16 KiB of JSON
        updated_at (datetime.datetime):
    """

    id: UUID
    created_at: datetime.datetime
    name: str
    model: str
    dimensions: int
    threshold: float | None
    target_fpir: float | None
    face_count: int
    metadata: CollectionMetadata
    updated_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        created_at = self.created_at.isoformat()

        name = self.name

        model = self.model

        dimensions = self.dimensions

        threshold: float | None
        threshold = self.threshold

        target_fpir: float | None
        target_fpir = self.target_fpir

        face_count = self.face_count

        metadata = self.metadata.to_dict()

        updated_at = self.updated_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "created_at": created_at,
                "name": name,
                "model": model,
                "dimensions": dimensions,
                "threshold": threshold,
                "target_fpir": target_fpir,
                "face_count": face_count,
                "metadata": metadata,
                "updated_at": updated_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.collection_metadata import CollectionMetadata  # noqa: PLC0415

        d = dict(src_dict)
        id = UUID(d.pop("id"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        name = d.pop("name")

        model = d.pop("model")

        dimensions = d.pop("dimensions")

        def _parse_threshold(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        threshold = _parse_threshold(d.pop("threshold"))

        def _parse_target_fpir(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        target_fpir = _parse_target_fpir(d.pop("target_fpir"))

        face_count = d.pop("face_count")

        metadata = CollectionMetadata.from_dict(d.pop("metadata"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        collection = cls(
            id=id,
            created_at=created_at,
            name=name,
            model=model,
            dimensions=dimensions,
            threshold=threshold,
            target_fpir=target_fpir,
            face_count=face_count,
            metadata=metadata,
            updated_at=updated_at,
        )

        collection.additional_properties = d
        return collection

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
