from typing import Literal, cast

UploadMethod = Literal["PUT"]

UPLOAD_METHOD_VALUES: set[UploadMethod] = {
    "PUT",
}


def check_upload_method(value: str) -> UploadMethod:
    # A newer API may answer with a word that this client does not know: it is passed on as it came.
    if isinstance(value, str):
        return cast(UploadMethod, value)
    raise TypeError(f"Unexpected value {value!r}. Expected one of {UPLOAD_METHOD_VALUES!r}")
