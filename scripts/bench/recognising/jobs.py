"""The load of the whole path: a tenant, pictures in S3, a gallery, and jobs of one shard."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from flask import Flask

from app import create_app
from app.domain.actor import SYSTEM
from app.domain.job_options import JobOptions
from app.domain.job_request import ItemRequest, JobRequest
from app.domain.states import Operation
from app.services.gallery.collections import NewCollection, create_collection
from app.services.jobs.submit_job import submit_job
from scripts.bench.killing.workload import upload
from scripts.bench.trial.stack import TrialStack, trial_stack
from scripts.stack.environment import BUCKET
from workers.vision.results import Rotation

GALLERY_PICTURES = 8


class Load:
    """One tenant of a running stack, and the jobs that it submits."""

    def __init__(self, stack: TrialStack, app: Flask, folder: Path, count: int) -> None:
        self._app = app
        self._tenant = UUID(stack.make_tenant("bench").id)
        keys = [f"bench/{number:06}.jpg" for number in range(count)]
        upload(stack, {key: (folder / Path(key).name).read_bytes() for key in keys})
        self._uris = [f"s3://{BUCKET}/{key}" for key in keys]
        with app.app_context():
            self._collection = create_collection(self._tenant, NewCollection("bench"), SYSTEM).id

    def enrol(self) -> str:
        """Submit the enrolment of the first pictures' faces: the gallery of the others."""
        options = JobOptions(enrol_faces="all", rotation="off")
        return self._submit(Operation.ENROL, 0, GALLERY_PICTURES, options)

    def identify(self, first: int, count: int, rotation: Rotation) -> str:
        """Submit one job over `count` pictures, which is one shard; returns its id."""
        return self._submit(Operation.IDENTIFY, first, count, JobOptions(rotation=rotation))

    def _submit(self, operation: Operation, first: int, count: int, options: JobOptions) -> str:
        items = tuple(
            ItemRequest(f"picture-{first + n}", image=uri)
            for n, uri in enumerate(self._uris[first : first + count])
        )
        request = JobRequest(operation, items, collection_id=self._collection, options=options)
        with self._app.app_context():
            return str(submit_job(self._tenant, request, SYSTEM).id)


@contextmanager
def loaded_stack(
    folder: Path, count: int, settings: Mapping[str, str], say: Callable[[str], None]
) -> Iterator[tuple[dict[str, str], Load]]:
    """A stack with the pictures in it, for as long as the block runs; and its settings."""
    with trial_stack(report=say) as stack:
        environment = {**stack.settings, **settings}
        # What create_app reads; this process is a command that ends with the stack.
        os.environ.update(environment)
        say(f"Putting {count} pictures into S3")
        yield environment, Load(stack, create_app(), folder, count)
