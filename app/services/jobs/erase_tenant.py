"""Use case of an operator: a tenant goes, with everything that it owns."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import current_app
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.config import Settings
from app.database.transactions import owner_transaction
from app.domain.actor import SYSTEM
from app.domain.gallery import ErasedScope
from app.domain.request_errors import Conflict
from app.domain.storage import incoming_location, upload_location
from app.services.gallery.vectors import erase_faces
from app.services.tenancy.record_audit import record_audit
from app.services.tenancy.tenants import require_tenant
from app.services.tenancy.uploads import object_store

_JOBS = text("""
SELECT count(*) AS jobs, count(*) FILTER (WHERE finished_at IS NULL) AS live
FROM jobs WHERE tenant_id = :tenant_id
""")

_REVOKE_KEYS = text("""
UPDATE api_keys SET revoked_at = now() WHERE tenant_id = :tenant_id AND revoked_at IS NULL
""")

# Foreign keys take most rows along, and the trigger `erase_tenant` those of tables without any.
_DELETE = text("DELETE FROM tenants WHERE id = :tenant_id")


@dataclass(frozen=True)
class ErasedTenant:
    """How much there was of what was erased."""

    faces: int
    jobs: int
    uploads: int


def erase_tenant(tenant_id: UUID) -> ErasedTenant:
    """Erase a tenant's uploads, then all its rows; of audit events alone nothing goes.

    Its keys end first, so that nothing comes in meanwhile. Cut short, it can be done again.

    Raises:
        NotFound: no tenant has the id.
        Conflict: jobs of it have not ended.
        StorageUnavailable: S3 did not delete its uploads.
    """
    with owner_transaction() as session:
        require_tenant(session, tenant_id, lock=True)
        _require_ended(session, tenant_id)
        session.execute(_REVOKE_KEYS, {"tenant_id": tenant_id})
    uploads = _delete_uploads(tenant_id)
    with owner_transaction() as session:
        require_tenant(session, tenant_id, lock=True)
        jobs = _require_ended(session, tenant_id)
        faces = erase_faces(session, tenant_id, ErasedScope.tenant()).count
        session.execute(_DELETE, {"tenant_id": tenant_id})
        erased = ErasedTenant(faces, jobs, uploads)
        detail = {"faces": faces, "jobs": jobs, "uploads": uploads}
        record_audit(session, tenant_id, SYSTEM, "tenant.erased", "tenant", tenant_id, detail)
    # What a request that had begun before its key ended has left behind.
    _delete_uploads(tenant_id)
    return erased


def _require_ended(session: Session, tenant_id: UUID) -> int:
    """How many jobs the tenant has, all of which have ended."""
    row = session.execute(_JOBS, {"tenant_id": tenant_id}).one()
    if row.live:
        raise Conflict(
            f"Jobs of the tenant that have not ended: {row.live}. Cancel them "
            "(POST /api/v1/jobs/ID/cancel) or wait for their end, then erase the tenant"
        )
    return int(row.jobs)


def _delete_uploads(tenant_id: UUID) -> int:
    settings: Settings = current_app.config["SETTINGS"]
    store, bucket = object_store(settings), settings.aws_storage_bucket_name
    return sum(
        store.delete_below(place(bucket, tenant_id, ""))
        for place in (upload_location, incoming_location)
    )
