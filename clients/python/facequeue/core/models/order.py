from typing import Literal, cast

Order = Literal["asc", "desc"]

ORDER_VALUES: set[Order] = {
    "asc",
    "desc",
}


def check_order(value: str) -> Order:
    # A newer API may answer with a word that this client does not know: it is passed on as it came.
    if isinstance(value, str):
        return cast(Order, value)
    raise TypeError(f"Unexpected value {value!r}. Expected one of {ORDER_VALUES!r}")
