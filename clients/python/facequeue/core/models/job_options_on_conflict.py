from typing import Literal

JobOptionsOnConflict = Literal["keep", "move"]

JOB_OPTIONS_ON_CONFLICT_VALUES: set[JobOptionsOnConflict] = {
    "keep",
    "move",
}


def check_job_options_on_conflict(value: str) -> JobOptionsOnConflict:
    if value in JOB_OPTIONS_ON_CONFLICT_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {JOB_OPTIONS_ON_CONFLICT_VALUES!r}"
    )
