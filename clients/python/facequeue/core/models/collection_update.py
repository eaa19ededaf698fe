from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.collection_metadata_patch import CollectionMetadataPatch


T = TypeVar("T", bound="CollectionUpdate")


@_attrs_define
class CollectionUpdate:
    """
    Attributes:
        threshold (float | Unset): Cosine similarity from which on two faces match
        target_fpir (float | Unset): How often a stranger may be named as somebody
        name (str | Unset):
        metadata (CollectionMetadataPatch | None | Unset): A JSON merge patch (RFC 7396): members are set, null takes
            them away, others stay
    """

    threshold: float | Unset = UNSET
    target_fpir: float | Unset = UNSET
    name: str | Unset = UNSET
    metadata: CollectionMetadataPatch | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.collection_metadata_patch import CollectionMetadataPatch  # noqa: PLC0415

        threshold = self.threshold

        target_fpir = self.target_fpir

        name = self.name

        metadata: dict[str, Any] | None | Unset
        if isinstance(self.metadata, Unset):
            metadata = UNSET
        elif isinstance(self.metadata, CollectionMetadataPatch):
            metadata = self.metadata.to_dict()
        else:
            metadata = self.metadata

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if threshold is not UNSET:
            field_dict["threshold"] = threshold
        if target_fpir is not UNSET:
            field_dict["target_fpir"] = target_fpir
        if name is not UNSET:
            field_dict["name"] = name
        if metadata is not UNSET:
            field_dict["metadata"] = metadata

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.collection_metadata_patch import CollectionMetadataPatch  # noqa: PLC0415

        d = dict(src_dict)
        threshold = d.pop("threshold", UNSET)

        target_fpir = d.pop("target_fpir", UNSET)

        name = d.pop("name", UNSET)

        def _parse_metadata(data: object) -> CollectionMetadataPatch | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                metadata_type_0 = CollectionMetadataPatch.from_dict(data)

                return metadata_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(CollectionMetadataPatch | None | Unset, data)

        metadata = _parse_metadata(d.pop("metadata", UNSET))

        collection_update = cls(
            threshold=threshold,
            target_fpir=target_fpir,
            name=name,
            metadata=metadata,
        )

        return collection_update
