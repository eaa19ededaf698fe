from typing import Literal, cast

EventType = Literal["job.canceled", "job.expired", "job.failed", "job.succeeded"]

EVENT_TYPE_VALUES: set[EventType] = {
    "job.canceled",
    "job.expired",
    "job.failed",
    "job.succeeded",
}


def check_event_type(value: str) -> EventType:
    # A newer API may answer with a word that this client does not know: it is passed on as it came.
    if isinstance(value, str):
        return cast(EventType, value)
    raise TypeError(f"Unexpected value {value!r}. Expected one of {EVENT_TYPE_VALUES!r}")
