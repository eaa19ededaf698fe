from typing import Literal

ItemState = Literal["canceled", "failed", "pending", "succeeded"]

ITEM_STATE_VALUES: set[ItemState] = {
    "canceled",
    "failed",
    "pending",
    "succeeded",
}


def check_item_state(value: str) -> ItemState:
    if value in ITEM_STATE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {ITEM_STATE_VALUES!r}")
