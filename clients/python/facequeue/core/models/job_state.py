from typing import Literal, cast

JobState = Literal[
    "canceled", "cancelling", "expired", "failed", "preparing", "processing", "queued", "succeeded"
]

JOB_STATE_VALUES: set[JobState] = {
    "canceled",
    "cancelling",
    "expired",
    "failed",
    "preparing",
    "processing",
    "queued",
    "succeeded",
}


def check_job_state(value: str) -> JobState:
    # A newer API may answer with a word that this client does not know: it is passed on as it came.
    if isinstance(value, str):
        return cast(JobState, value)
    raise TypeError(f"Unexpected value {value!r}. Expected one of {JOB_STATE_VALUES!r}")
