from typing import Literal, cast

OnConflict = Literal["keep", "move"]

ON_CONFLICT_VALUES: set[OnConflict] = {
    "keep",
    "move",
}


def check_on_conflict(value: str) -> OnConflict:
    # A newer API may answer with a word that this client does not know: it is passed on as it came.
    if isinstance(value, str):
        return cast(OnConflict, value)
    raise TypeError(f"Unexpected value {value!r}. Expected one of {ON_CONFLICT_VALUES!r}")
