"""How an import can end badly, and the exit code of each way.

ImportFault
├── UsageFault     2  the command, its key or its collection is wrong: change it and run again
├── Unreachable    3  FaceQueue or S3 does not answer: run the same command again later
└── Refused        2  FaceQueue answered, and said no
"""

from __future__ import annotations

from typing import Any, ClassVar


class ImportFault(Exception):
    """The import cannot go on. What was submitted and written stays."""

    exit_code: ClassVar[int] = 2


class UsageFault(ImportFault):
    """What was asked for makes no sense, or is not there."""


class Unreachable(ImportFault):
    """A server does not answer, after all retries."""

    exit_code = 3


class Refused(ImportFault):
    """FaceQueue refused a request: its problem document, in one line."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", f"http_{status}"))
        reasons = "; ".join(
            f"{error.get('pointer', '')}: {error.get('detail', '')}"
            for error in problem.get("errors") or ()
        )
        detail = problem.get("detail") or problem.get("title") or "no reason was given"
        request_id = problem.get("request_id")
        super().__init__(
            f"FaceQueue refuses ({status} {self.code}): {detail}"
            + (f" [{reasons}]" if reasons else "")
            + (f" (request {request_id})" if request_id else "")
        )
