from typing import Literal, cast

EndpointState = Literal["disabled", "enabled"]

ENDPOINT_STATE_VALUES: set[EndpointState] = {
    "disabled",
    "enabled",
}


def check_endpoint_state(value: str) -> EndpointState:
    # A newer API may answer with a word that this client does not know: it is passed on as it came.
    if isinstance(value, str):
        return cast(EndpointState, value)
    raise TypeError(f"Unexpected value {value!r}. Expected one of {ENDPOINT_STATE_VALUES!r}")
