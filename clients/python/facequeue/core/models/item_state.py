from typing import Literal, cast

ItemState = Literal["canceled", "failed", "pending", "succeeded"]

ITEM_STATE_VALUES: set[ItemState] = {
    "canceled",
    "failed",
    "pending",
    "succeeded",
}


def check_item_state(value: str) -> ItemState:
    # A newer API may answer with a word that this client does not know: it is passed on as it came.
    if isinstance(value, str):
        return cast(ItemState, value)
    raise TypeError(f"Unexpected value {value!r}. Expected one of {ITEM_STATE_VALUES!r}")
