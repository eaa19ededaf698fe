from typing import Literal, cast

AttributeName = Literal["age", "emotion", "gender"]

ATTRIBUTE_NAME_VALUES: set[AttributeName] = {
    "age",
    "emotion",
    "gender",
}


def check_attribute_name(value: str) -> AttributeName:
    # A newer API may answer with a word that this client does not know: it is passed on as it came.
    if isinstance(value, str):
        return cast(AttributeName, value)
    raise TypeError(f"Unexpected value {value!r}. Expected one of {ATTRIBUTE_NAME_VALUES!r}")
