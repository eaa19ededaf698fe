from typing import Literal, cast

JobFailure = Literal["collection_deleted"]

JOB_FAILURE_VALUES: set[JobFailure] = {
    "collection_deleted",
}


def check_job_failure(value: str) -> JobFailure:
    # A newer API may answer with a word that this client does not know: it is passed on as it came.
    if isinstance(value, str):
        return cast(JobFailure, value)
    raise TypeError(f"Unexpected value {value!r}. Expected one of {JOB_FAILURE_VALUES!r}")
