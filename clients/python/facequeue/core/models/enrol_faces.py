from typing import Literal, cast

EnrolFaces = Literal["all", "largest", "only"]

ENROL_FACES_VALUES: set[EnrolFaces] = {
    "all",
    "largest",
    "only",
}


def check_enrol_faces(value: str) -> EnrolFaces:
    # A newer API may answer with a word that this client does not know: it is passed on as it came.
    if isinstance(value, str):
        return cast(EnrolFaces, value)
    raise TypeError(f"Unexpected value {value!r}. Expected one of {ENROL_FACES_VALUES!r}")
