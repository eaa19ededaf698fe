from typing import Literal

SignedRequestMethod = Literal["PUT"]

SIGNED_REQUEST_METHOD_VALUES: set[SignedRequestMethod] = {
    "PUT",
}


def check_signed_request_method(value: str) -> SignedRequestMethod:
    if value in SIGNED_REQUEST_METHOD_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {SIGNED_REQUEST_METHOD_VALUES!r}")
