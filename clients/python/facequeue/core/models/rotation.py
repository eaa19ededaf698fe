from typing import Literal, cast

Rotation = Literal["full", "gated", "off"]

ROTATION_VALUES: set[Rotation] = {
    "full",
    "gated",
    "off",
}


def check_rotation(value: str) -> Rotation:
    # A newer API may answer with a word that this client does not know: it is passed on as it came.
    if isinstance(value, str):
        return cast(Rotation, value)
    raise TypeError(f"Unexpected value {value!r}. Expected one of {ROTATION_VALUES!r}")
