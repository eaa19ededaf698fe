from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Usage")


@_attrs_define
class Usage:
    """
    Attributes:
        day (datetime.date | None):
        month (datetime.date | None): The first day of it
        operation (None | str): That of jobs; `webhook`: attempts to deliver one
        outcome (None | str): `succeeded`, `failed` or `canceled`
        images (int): Items of jobs; that of `verify` counts once
        faces (int): In the results of images
        inference_seconds (float): That networks took for the images whose results were stored
        webhooks (int): Attempts; those that got no 2xx have `failed`
    """

    day: datetime.date | None
    month: datetime.date | None
    operation: None | str
    outcome: None | str
    images: int
    faces: int
    inference_seconds: float
    webhooks: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        day: None | str
        if isinstance(self.day, datetime.date):
            day = self.day.isoformat()
        else:
            day = self.day

        month: None | str
        if isinstance(self.month, datetime.date):
            month = self.month.isoformat()
        else:
            month = self.month

        operation: None | str
        operation = self.operation

        outcome: None | str
        outcome = self.outcome

        images = self.images

        faces = self.faces

        inference_seconds = self.inference_seconds

        webhooks = self.webhooks

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "day": day,
                "month": month,
                "operation": operation,
                "outcome": outcome,
                "images": images,
                "faces": faces,
                "inference_seconds": inference_seconds,
                "webhooks": webhooks,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_day(data: object) -> datetime.date | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                day_type_0 = datetime.date.fromisoformat(data)

                return day_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.date | None, data)

        day = _parse_day(d.pop("day"))

        def _parse_month(data: object) -> datetime.date | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                month_type_0 = datetime.date.fromisoformat(data)

                return month_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.date | None, data)

        month = _parse_month(d.pop("month"))

        def _parse_operation(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        operation = _parse_operation(d.pop("operation"))

        def _parse_outcome(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        outcome = _parse_outcome(d.pop("outcome"))

        images = d.pop("images")

        faces = d.pop("faces")

        inference_seconds = d.pop("inference_seconds")

        webhooks = d.pop("webhooks")

        usage = cls(
            day=day,
            month=month,
            operation=operation,
            outcome=outcome,
            images=images,
            faces=faces,
            inference_seconds=inference_seconds,
            webhooks=webhooks,
        )

        usage.additional_properties = d
        return usage

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
