from typing import Literal

AttributeName = Literal["age", "emotion", "gender"]

ATTRIBUTE_NAME_VALUES: set[AttributeName] = {
    "age",
    "emotion",
    "gender",
}


def check_attribute_name(value: str) -> AttributeName:
    if value in ATTRIBUTE_NAME_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {ATTRIBUTE_NAME_VALUES!r}")
