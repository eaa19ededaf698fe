"""A shard's items while a task works on them."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.config import Settings
from app.domain.job_options import JobOptions
from app.domain.lease import Holder, Lease, ShardRef
from app.domain.states import Operation, Priority
from app.domain.storage import ObjectLocation, ReadableStorage
from app.queries.shard_items import OpenItem
from app.services.leases.begin_shard import ShardWork
from workers.recognition.open_work import OpenWork
from workers.vision.pipeline import ImageResult

SOMEBODY = UUID(int=1)
LEASE = Lease(
    ShardRef(SOMEBODY, 0), SOMEBODY, 1, Holder("w", 1), 0, 1, 1, Priority.BULK, False, None, 0
)


class Unread:
    """A store of which nothing is asked."""

    def read(self, location: ObjectLocation) -> bytes:
        raise AssertionError(location)


def test_a_verification_took_the_seconds_of_both_of_its_images() -> None:
    item = OpenItem(0, "s3://b/a.jpg", None, "s3://b/b.jpg", None)
    readable = ReadableStorage("uploads", SOMEBODY)
    work = ShardWork(LEASE, Operation.VERIFY, JobOptions(), (item,), readable)
    opened = OpenWork(work, Unread(), Settings.model_construct())

    assert opened.take(0, "probe", ImageResult("p", "00", 1, 1, (), None, 0.25)) is None
    outcome = opened.take(0, "reference", ImageResult("r", "00", 1, 1, (), None, 0.5))

    assert outcome is not None
    assert outcome.inference_s == pytest.approx(0.75)
