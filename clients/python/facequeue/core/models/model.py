from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.licence import Licence


T = TypeVar("T", bound="Model")


@_attrs_define
class Model:
    """
    Attributes:
        name (str):
        identity (str): name@digest
        dimensions (int):
        default_threshold (float):
        licence (Licence):
        default (bool): Whether a collection gets it that names none
        live (bool): Whether a worker for it was seen just now
    """

    name: str
    identity: str
    dimensions: int
    default_threshold: float
    licence: Licence
    default: bool
    live: bool
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        identity = self.identity

        dimensions = self.dimensions

        default_threshold = self.default_threshold

        licence = self.licence.to_dict()

        default = self.default

        live = self.live

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "identity": identity,
                "dimensions": dimensions,
                "default_threshold": default_threshold,
                "licence": licence,
                "default": default,
                "live": live,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.licence import Licence  # noqa: PLC0415

        d = dict(src_dict)
        name = d.pop("name")

        identity = d.pop("identity")

        dimensions = d.pop("dimensions")

        default_threshold = d.pop("default_threshold")

        licence = Licence.from_dict(d.pop("licence"))

        default = d.pop("default")

        live = d.pop("live")

        model = cls(
            name=name,
            identity=identity,
            dimensions=dimensions,
            default_threshold=default_threshold,
            licence=licence,
            default=default,
            live=live,
        )

        model.additional_properties = d
        return model

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
