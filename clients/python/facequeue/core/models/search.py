from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Search")


@_attrs_define
class Search:
    """
    Attributes:
        index (str): What compared the face; what begins with `exact` misses nobody
        faces (int | None): Faces that the collection had; null in results of old versions
        recall (float | None): Share of probes whose nearest face such a search finds, 0 to 1; null in results of old
            versions
    """

    index: str
    faces: int | None
    recall: float | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        index = self.index

        faces: int | None
        faces = self.faces

        recall: float | None
        recall = self.recall

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "index": index,
                "faces": faces,
                "recall": recall,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        index = d.pop("index")

        def _parse_faces(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        faces = _parse_faces(d.pop("faces"))

        def _parse_recall(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        recall = _parse_recall(d.pop("recall"))

        search = cls(
            index=index,
            faces=faces,
            recall=recall,
        )

        search.additional_properties = d
        return search

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
