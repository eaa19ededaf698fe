from typing import Literal

OnChanged = Literal["add", "replace"]

ON_CHANGED_VALUES: set[OnChanged] = {
    "add",
    "replace",
}


def check_on_changed(value: str) -> OnChanged:
    if value in ON_CHANGED_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {ON_CHANGED_VALUES!r}")
