"""Who holds a lease: one life of a worker, and one child of it."""

from __future__ import annotations

import os
import uuid

from app.domain.lease import Holder

# Children inherit the environment of their parent: that is how they share its name.
_VARIABLE = "FACEQUEUE_WORKER_INSTANCE"


def become_instance(hostname: str) -> str:
    """Name this life of the worker: its host name and a mark no other life bears."""
    os.environ[_VARIABLE] = f"{hostname}/{uuid.uuid4().hex[:12]}"
    return os.environ[_VARIABLE]


def current_holder() -> Holder:
    """This process, as a holder of leases."""
    return Holder(os.environ.get(_VARIABLE, f"unnamed/{os.getppid()}"), os.getpid())
