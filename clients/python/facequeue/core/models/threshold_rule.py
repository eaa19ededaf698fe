from typing import Literal, cast

ThresholdRule = Literal["model_default", "target_fpir", "threshold"]

THRESHOLD_RULE_VALUES: set[ThresholdRule] = {
    "model_default",
    "target_fpir",
    "threshold",
}


def check_threshold_rule(value: str) -> ThresholdRule:
    # A newer API may answer with a word that this client does not know: it is passed on as it came.
    if isinstance(value, str):
        return cast(ThresholdRule, value)
    raise TypeError(f"Unexpected value {value!r}. Expected one of {THRESHOLD_RULE_VALUES!r}")
