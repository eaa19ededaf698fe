from typing import Literal

FaceDecision = Literal["ambiguous", "match", "unknown"]

FACE_DECISION_VALUES: set[FaceDecision] = {
    "ambiguous",
    "match",
    "unknown",
}


def check_face_decision(value: str) -> FaceDecision:
    if value in FACE_DECISION_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {FACE_DECISION_VALUES!r}")
