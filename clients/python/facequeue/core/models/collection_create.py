from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.collection_create_metadata import CollectionCreateMetadata


T = TypeVar("T", bound="CollectionCreate")


@_attrs_define
class CollectionCreate:
    """
    Attributes:
        name (str):
        threshold (float | Unset): Cosine similarity from which on two faces match
        target_fpir (float | Unset): How often a stranger may be named as somebody
        model (str | Unset): A model of the registry, such as SFace
        metadata (CollectionCreateMetadata | Unset): Your own data, up to 16 KiB of JSON
    """

    name: str
    threshold: float | Unset = UNSET
    target_fpir: float | Unset = UNSET
    model: str | Unset = UNSET
    metadata: CollectionCreateMetadata | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        threshold = self.threshold

        target_fpir = self.target_fpir

        model = self.model

        metadata: dict[str, Any] | Unset = UNSET
        if not isinstance(self.metadata, Unset):
            metadata = self.metadata.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
            }
        )
        if threshold is not UNSET:
            field_dict["threshold"] = threshold
        if target_fpir is not UNSET:
            field_dict["target_fpir"] = target_fpir
        if model is not UNSET:
            field_dict["model"] = model
        if metadata is not UNSET:
            field_dict["metadata"] = metadata

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.collection_create_metadata import CollectionCreateMetadata  # noqa: PLC0415

        d = dict(src_dict)
        name = d.pop("name")

        threshold = d.pop("threshold", UNSET)

        target_fpir = d.pop("target_fpir", UNSET)

        model = d.pop("model", UNSET)

        _metadata = d.pop("metadata", UNSET)
        metadata: CollectionCreateMetadata | Unset
        if isinstance(_metadata, Unset):
            metadata = UNSET
        else:
            metadata = CollectionCreateMetadata.from_dict(_metadata)

        collection_create = cls(
            name=name,
            threshold=threshold,
            target_fpir=target_fpir,
            model=model,
            metadata=metadata,
        )

        return collection_create
