from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Limits")


@_attrs_define
class Limits:
    """
    Attributes:
        max_job_items (int):
        max_upload_size (int): Bytes
        max_image_pixels (int):
        requests_per_minute (int | None): Of a key; null: no limit
        job_queue_days (int): Days until a queued job expires
        retention_days_jobs (int): Days a finished job is kept
        retention_days_images (int): Days an upload is kept
        liveness (bool): Whether `options.liveness` is not switched off
        webhooks (bool): Whether webhooks are delivered
    """

    max_job_items: int
    max_upload_size: int
    max_image_pixels: int
    requests_per_minute: int | None
    job_queue_days: int
    retention_days_jobs: int
    retention_days_images: int
    liveness: bool
    webhooks: bool
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        max_job_items = self.max_job_items

        max_upload_size = self.max_upload_size

        max_image_pixels = self.max_image_pixels

        requests_per_minute: int | None
        requests_per_minute = self.requests_per_minute

        job_queue_days = self.job_queue_days

        retention_days_jobs = self.retention_days_jobs

        retention_days_images = self.retention_days_images

        liveness = self.liveness

        webhooks = self.webhooks

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "max_job_items": max_job_items,
                "max_upload_size": max_upload_size,
                "max_image_pixels": max_image_pixels,
                "requests_per_minute": requests_per_minute,
                "job_queue_days": job_queue_days,
                "retention_days_jobs": retention_days_jobs,
                "retention_days_images": retention_days_images,
                "liveness": liveness,
                "webhooks": webhooks,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        max_job_items = d.pop("max_job_items")

        max_upload_size = d.pop("max_upload_size")

        max_image_pixels = d.pop("max_image_pixels")

        def _parse_requests_per_minute(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        requests_per_minute = _parse_requests_per_minute(d.pop("requests_per_minute"))

        job_queue_days = d.pop("job_queue_days")

        retention_days_jobs = d.pop("retention_days_jobs")

        retention_days_images = d.pop("retention_days_images")

        liveness = d.pop("liveness")

        webhooks = d.pop("webhooks")

        limits = cls(
            max_job_items=max_job_items,
            max_upload_size=max_upload_size,
            max_image_pixels=max_image_pixels,
            requests_per_minute=requests_per_minute,
            job_queue_days=job_queue_days,
            retention_days_jobs=retention_days_jobs,
            retention_days_images=retention_days_images,
            liveness=liveness,
            webhooks=webhooks,
        )

        limits.additional_properties = d
        return limits

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
