from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.subject_create_metadata import SubjectCreateMetadata


T = TypeVar("T", bound="SubjectCreate")


@_attrs_define
class SubjectCreate:
    """
    Attributes:
        external_id (str): Your own id of the person, kept in Unicode's composed form (NFC)
        metadata (SubjectCreateMetadata | Unset): Your own data, up to 16 KiB of JSON
    """

    external_id: str
    metadata: SubjectCreateMetadata | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        external_id = self.external_id

        metadata: dict[str, Any] | Unset = UNSET
        if not isinstance(self.metadata, Unset):
            metadata = self.metadata.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "external_id": external_id,
            }
        )
        if metadata is not UNSET:
            field_dict["metadata"] = metadata

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.subject_create_metadata import SubjectCreateMetadata  # noqa: PLC0415

        d = dict(src_dict)
        external_id = d.pop("external_id")

        _metadata = d.pop("metadata", UNSET)
        metadata: SubjectCreateMetadata | Unset
        if isinstance(_metadata, Unset):
            metadata = UNSET
        else:
            metadata = SubjectCreateMetadata.from_dict(_metadata)

        subject_create = cls(
            external_id=external_id,
            metadata=metadata,
        )

        return subject_create
