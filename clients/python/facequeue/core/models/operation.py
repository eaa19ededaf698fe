from typing import Literal, cast

Operation = Literal["detect", "enrol", "identify", "verify"]

OPERATION_VALUES: set[Operation] = {
    "detect",
    "enrol",
    "identify",
    "verify",
}


def check_operation(value: str) -> Operation:
    # A newer API may answer with a word that this client does not know: it is passed on as it came.
    if isinstance(value, str):
        return cast(Operation, value)
    raise TypeError(f"Unexpected value {value!r}. Expected one of {OPERATION_VALUES!r}")
