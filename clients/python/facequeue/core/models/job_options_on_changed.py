from typing import Literal

JobOptionsOnChanged = Literal["add", "replace"]

JOB_OPTIONS_ON_CHANGED_VALUES: set[JobOptionsOnChanged] = {
    "add",
    "replace",
}


def check_job_options_on_changed(value: str) -> JobOptionsOnChanged:
    if value in JOB_OPTIONS_ON_CHANGED_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {JOB_OPTIONS_ON_CHANGED_VALUES!r}"
    )
