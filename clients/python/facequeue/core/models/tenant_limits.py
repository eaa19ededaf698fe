from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.limit_use import LimitUse


T = TypeVar("T", bound="TenantLimits")


@_attrs_define
class TenantLimits:
    """
    Attributes:
        jobs_in_flight (LimitUse):
        items_waiting (LimitUse):
        requests_per_minute (LimitUse):
        storage_bytes (LimitUse):
    """

    jobs_in_flight: LimitUse
    items_waiting: LimitUse
    requests_per_minute: LimitUse
    storage_bytes: LimitUse
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        jobs_in_flight = self.jobs_in_flight.to_dict()

        items_waiting = self.items_waiting.to_dict()

        requests_per_minute = self.requests_per_minute.to_dict()

        storage_bytes = self.storage_bytes.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "jobs_in_flight": jobs_in_flight,
                "items_waiting": items_waiting,
                "requests_per_minute": requests_per_minute,
                "storage_bytes": storage_bytes,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.limit_use import LimitUse  # noqa: PLC0415

        d = dict(src_dict)
        jobs_in_flight = LimitUse.from_dict(d.pop("jobs_in_flight"))

        items_waiting = LimitUse.from_dict(d.pop("items_waiting"))

        requests_per_minute = LimitUse.from_dict(d.pop("requests_per_minute"))

        storage_bytes = LimitUse.from_dict(d.pop("storage_bytes"))

        tenant_limits = cls(
            jobs_in_flight=jobs_in_flight,
            items_waiting=items_waiting,
            requests_per_minute=requests_per_minute,
            storage_bytes=storage_bytes,
        )

        tenant_limits.additional_properties = d
        return tenant_limits

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
