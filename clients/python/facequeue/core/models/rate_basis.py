from typing import Literal, cast

RateBasis = Literal["extrapolated", "measured"]

RATE_BASIS_VALUES: set[RateBasis] = {
    "extrapolated",
    "measured",
}


def check_rate_basis(value: str) -> RateBasis:
    # A newer API may answer with a word that this client does not know: it is passed on as it came.
    if isinstance(value, str):
        return cast(RateBasis, value)
    raise TypeError(f"Unexpected value {value!r}. Expected one of {RATE_BASIS_VALUES!r}")
