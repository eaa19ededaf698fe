from typing import Literal

Rotation = Literal["full", "gated", "off"]

ROTATION_VALUES: set[Rotation] = {
    "full",
    "gated",
    "off",
}


def check_rotation(value: str) -> Rotation:
    if value in ROTATION_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {ROTATION_VALUES!r}")
