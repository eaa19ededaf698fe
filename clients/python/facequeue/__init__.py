"""Client of FaceQueue, the batch face-recognition service.

`connect` gives a client for every call in `facequeue.core.api`; `upload_folder`, `submit_and_wait`
and `iterate_results` do what most programs want of it.
"""

from facequeue.connection import Patience, call, connect
from facequeue.core import AuthenticatedClient
from facequeue.errors import (
    ApiError,
    Conflict,
    FaceQueueError,
    Forbidden,
    Invalid,
    JobNotSucceeded,
    NoAnswer,
    NotFaceQueue,
    NotFound,
    RateLimited,
    StillRunning,
    Unauthenticated,
    Unavailable,
)
from facequeue.jobs import submit_and_wait
from facequeue.results import iterate_lines, iterate_results
from facequeue.uploads import FolderUpload, upload_folder

__all__ = [
    "ApiError",
    "AuthenticatedClient",
    "Conflict",
    "FaceQueueError",
    "FolderUpload",
    "Forbidden",
    "Invalid",
    "JobNotSucceeded",
    "NoAnswer",
    "NotFaceQueue",
    "NotFound",
    "Patience",
    "RateLimited",
    "StillRunning",
    "Unauthenticated",
    "Unavailable",
    "call",
    "connect",
    "iterate_lines",
    "iterate_results",
    "submit_and_wait",
    "upload_folder",
]
