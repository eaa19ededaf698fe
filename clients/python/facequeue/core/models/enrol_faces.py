from typing import Literal

EnrolFaces = Literal["all", "largest", "only"]

ENROL_FACES_VALUES: set[EnrolFaces] = {
    "all",
    "largest",
    "only",
}


def check_enrol_faces(value: str) -> EnrolFaces:
    if value in ENROL_FACES_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {ENROL_FACES_VALUES!r}")
