from typing import Literal

JobFailure = Literal["collection_deleted"]

JOB_FAILURE_VALUES: set[JobFailure] = {
    "collection_deleted",
}


def check_job_failure(value: str) -> JobFailure:
    if value in JOB_FAILURE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {JOB_FAILURE_VALUES!r}")
