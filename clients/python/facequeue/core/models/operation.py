from typing import Literal

Operation = Literal["detect", "enrol", "identify", "verify"]

OPERATION_VALUES: set[Operation] = {
    "detect",
    "enrol",
    "identify",
    "verify",
}


def check_operation(value: str) -> Operation:
    if value in OPERATION_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {OPERATION_VALUES!r}")
