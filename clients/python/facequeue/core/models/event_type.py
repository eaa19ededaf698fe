from typing import Literal

EventType = Literal["job.canceled", "job.expired", "job.failed", "job.succeeded"]

EVENT_TYPE_VALUES: set[EventType] = {
    "job.canceled",
    "job.expired",
    "job.failed",
    "job.succeeded",
}


def check_event_type(value: str) -> EventType:
    if value in EVENT_TYPE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {EVENT_TYPE_VALUES!r}")
