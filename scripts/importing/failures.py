"""How an import can end badly, and the exit code of each way.

ImportFault
├── UsageFault     2  the command, its key or its collection is wrong: change it and run again
├── Refused        2  FaceQueue answered, and said no
├── Unreachable    3  FaceQueue or S3 cannot serve: run the same command again later
│   └── Silent     3  FaceQueue does not answer at all
└── CannotWrite    3  the disk does not take what is to be kept: free some, run again
"""

from __future__ import annotations

from typing import Any, ClassVar


class ImportFault(Exception):
    """The import cannot go on. What was submitted and written stays."""

    exit_code: ClassVar[int] = 2
    # Whether jobs under way cannot be collected either.
    ends_at_once: ClassVar[bool] = False


class UsageFault(ImportFault):
    """What was asked for makes no sense, or is not there."""


class Unreachable(ImportFault):
    """A server cannot serve, after all retries."""

    exit_code = 3


class Silent(Unreachable):
    """FaceQueue gives no answer at all, after all retries."""

    ends_at_once = True


class CannotWrite(ImportFault):
    """A file of the import cannot be written."""

    exit_code = 3
    ends_at_once = True


class Refused(ImportFault):
    """FaceQueue refused a request: its problem document, in one line."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", f"http_{status}"))
        self.reasons = [
            (str(error.get("pointer", "")), str(error.get("detail", "")))
            for error in problem.get("errors") or ()
        ]
        reasons = "; ".join(f"{pointer}: {detail}" for pointer, detail in self.reasons)
        detail = problem.get("detail") or problem.get("title") or "no reason was given"
        request_id = problem.get("request_id")
        super().__init__(
            f"FaceQueue refuses ({status} {self.code}): {detail}"
            + (f" [{reasons}]" if reasons else "")
            + (f" (request {request_id})" if request_id else "")
        )
