from typing import Literal, cast

FaceDecision = Literal["ambiguous", "match", "unknown"]

FACE_DECISION_VALUES: set[FaceDecision] = {
    "ambiguous",
    "match",
    "unknown",
}


def check_face_decision(value: str) -> FaceDecision:
    # A newer API may answer with a word that this client does not know: it is passed on as it came.
    if isinstance(value, str):
        return cast(FaceDecision, value)
    raise TypeError(f"Unexpected value {value!r}. Expected one of {FACE_DECISION_VALUES!r}")
