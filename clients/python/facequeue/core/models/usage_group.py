from typing import Literal, cast

UsageGroup = Literal["day", "month", "operation", "outcome"]

USAGE_GROUP_VALUES: set[UsageGroup] = {
    "day",
    "month",
    "operation",
    "outcome",
}


def check_usage_group(value: str) -> UsageGroup:
    # A newer API may answer with a word that this client does not know: it is passed on as it came.
    if isinstance(value, str):
        return cast(UsageGroup, value)
    raise TypeError(f"Unexpected value {value!r}. Expected one of {USAGE_GROUP_VALUES!r}")
