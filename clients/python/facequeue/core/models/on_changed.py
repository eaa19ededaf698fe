from typing import Literal, cast

OnChanged = Literal["add", "replace"]

ON_CHANGED_VALUES: set[OnChanged] = {
    "add",
    "replace",
}


def check_on_changed(value: str) -> OnChanged:
    # A newer API may answer with a word that this client does not know: it is passed on as it came.
    if isinstance(value, str):
        return cast(OnChanged, value)
    raise TypeError(f"Unexpected value {value!r}. Expected one of {ON_CHANGED_VALUES!r}")
