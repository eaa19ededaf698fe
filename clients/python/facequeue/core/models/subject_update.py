from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.subject_metadata_patch import SubjectMetadataPatch


T = TypeVar("T", bound="SubjectUpdate")


@_attrs_define
class SubjectUpdate:
    """
    Attributes:
        external_id (str | Unset):
        metadata (None | SubjectMetadataPatch | Unset): A JSON merge patch (RFC 7396): members are set, null takes them
            away, others stay
    """

    external_id: str | Unset = UNSET
    metadata: None | SubjectMetadataPatch | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.subject_metadata_patch import SubjectMetadataPatch  # noqa: PLC0415

        external_id = self.external_id

        metadata: dict[str, Any] | None | Unset
        if isinstance(self.metadata, Unset):
            metadata = UNSET
        elif isinstance(self.metadata, SubjectMetadataPatch):
            metadata = self.metadata.to_dict()
        else:
            metadata = self.metadata

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if external_id is not UNSET:
            field_dict["external_id"] = external_id
        if metadata is not UNSET:
            field_dict["metadata"] = metadata

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.subject_metadata_patch import SubjectMetadataPatch  # noqa: PLC0415

        d = dict(src_dict)
        external_id = d.pop("external_id", UNSET)

        def _parse_metadata(data: object) -> None | SubjectMetadataPatch | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                metadata_type_0 = SubjectMetadataPatch.from_dict(data)

                return metadata_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | SubjectMetadataPatch | Unset, data)

        metadata = _parse_metadata(d.pop("metadata", UNSET))

        subject_update = cls(
            external_id=external_id,
            metadata=metadata,
        )

        return subject_update
