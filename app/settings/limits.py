"""How large one request or image may be, and how much a tenant may have."""

from __future__ import annotations

from pydantic import Field

from app.domain.image_header import MAX_PIXELS
from app.settings.group import SettingsGroup


class LimitSettings(SettingsGroup):
    """Sizes that are refused at the door."""

    max_upload_size: int = Field(default=10_485_760, ge=1024, description="Bytes of one image")
    max_image_pixels: int = Field(
        default=MAX_PIXELS,
        ge=1_000_000,
        le=400_000_000,
        description="Width times height of one image; decoding the largest takes 20 bytes a pixel",
    )
    max_job_items: int = Field(default=10_000, ge=1, description="Items of one job request")
    max_jobs_in_flight: int = Field(
        default=100_000, ge=1, description="Jobs of a tenant that have not ended"
    )
    max_items_waiting: int = Field(
        default=10_000_000, ge=1, description="Items of a tenant that are not done"
    )
    max_storage_bytes: int = Field(
        default=1_099_511_627_776, ge=1, description="Bytes of a tenant's uploads"
    )
