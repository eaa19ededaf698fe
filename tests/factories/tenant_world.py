"""A tenant with an S3 prefix of its own, and what a test does with it through the services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import Row, select, text

from app.adapters.s3 import ObjectStore
from app.database.transactions import tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.identifiers import new_id
from app.domain.job_request import ItemRequest, JobRequest
from app.domain.model_registry import load_registry
from app.domain.states import Operation
from app.domain.storage import ObjectLocation
from app.models.collection import Collection
from app.models.detection import Detection
from app.models.job import Item, Job, Shard
from app.services.jobs.submit_job import submit_job
from app.services.jobs.wait_for_job import wait_until_terminal
from app.services.tenancy.storage_places import allow_location
from tests.factories.tenants import make_tenant


@dataclass(frozen=True)
class TenantWorld:
    """One tenant's view of the system."""

    tenant_id: UUID

    @classmethod
    def create(cls) -> TenantWorld:
        """A new tenant, which may read its own prefix of the test bucket."""
        tenant = make_tenant()
        bucket = current_app.config["SETTINGS"].aws_storage_bucket_name
        allow_location(tenant.id, ObjectLocation(bucket, str(tenant.id)))
        return cls(tenant.id)

    def put(self, name: str, content: bytes) -> str:
        """Store an object under the tenant's prefix; returns its URI."""
        location = ObjectLocation(self.bucket, f"{self.tenant_id}/{name}")
        store = ObjectStore.from_settings(current_app.config["SETTINGS"])
        store.write(location, content, "application/octet-stream")
        return str(location)

    @property
    def bucket(self) -> str:
        bucket: str = current_app.config["SETTINGS"].aws_storage_bucket_name
        return bucket

    def uri(self, name: str) -> str:
        """Where an object of this name would lie, whether it is there or not."""
        return f"s3://{self.bucket}/{self.tenant_id}/{name}"

    def collection(self, **fields: Any) -> UUID:
        entry = load_registry().model("SFace")
        values = {
            "name": f"collection {new_id()}",
            "model": entry.identity,
            "space": entry.identity,
            "dimensions": entry.dimensions,
            "threshold": None if "target_fpir" in fields else entry.default_threshold,
        } | fields
        collection = Collection(id=new_id(), tenant_id=self.tenant_id, **values)
        with tenant_transaction(self.tenant_id) as session:
            session.add(collection)
        return collection.id

    def submit(self, operation: Operation, *items: ItemRequest, **fields: Any) -> UUID:
        return submit_job(self.tenant_id, JobRequest(operation, items, **fields), SYSTEM).id

    def finished(self, job_id: UUID, seconds: float = 60) -> Job:
        """The job, once it has ended; fails the test when it does not."""
        ended = wait_until_terminal(self.tenant_id, job_id, seconds)
        job = self.job(job_id)
        assert ended, f"the job is still {job.state} after {seconds} s, {job.open_items} open"
        return job

    def job(self, job_id: UUID) -> Job:
        with tenant_transaction(self.tenant_id) as session:
            return session.get_one(Job, job_id)

    def items(self, job_id: UUID) -> dict[str, Item]:
        with tenant_transaction(self.tenant_id) as session:
            rows = session.execute(select(Item).where(Item.job_id == job_id).order_by(Item.seq))
            return {item.custom_id: item for item in rows.scalars()}

    def faces(self, job_id: UUID, custom_id: str) -> list[Detection]:
        seq = self.items(job_id)[custom_id].seq
        with tenant_transaction(self.tenant_id) as session:
            query = select(Detection).where(Detection.job_id == job_id, Detection.item_seq == seq)
            return list(session.execute(query.order_by(Detection.face_no)).scalars())

    def shards(self, job_id: UUID) -> list[Shard]:
        with tenant_transaction(self.tenant_id) as session:
            query = select(Shard).where(Shard.job_id == job_id).order_by(Shard.shard_no)
            return list(session.execute(query).scalars())

    def run(self, operation: Operation, *items: ItemRequest, **fields: Any) -> Job:
        """Submit a job and wait for its end."""
        return self.finished(self.submit(operation, *items, **fields))

    def query(self, statement: str, **parameters: Any) -> list[Row[Any]]:
        """Read with the rights of the app role, as this tenant."""
        with tenant_transaction(self.tenant_id) as session:
            return list(session.execute(text(statement), parameters).all())
