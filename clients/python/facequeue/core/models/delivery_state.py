from typing import Literal, cast

DeliveryState = Literal["delivered", "exhausted", "held", "pending"]

DELIVERY_STATE_VALUES: set[DeliveryState] = {
    "delivered",
    "exhausted",
    "held",
    "pending",
}


def check_delivery_state(value: str) -> DeliveryState:
    # A newer API may answer with a word that this client does not know: it is passed on as it came.
    if isinstance(value, str):
        return cast(DeliveryState, value)
    raise TypeError(f"Unexpected value {value!r}. Expected one of {DELIVERY_STATE_VALUES!r}")
