"""Every table's model, imported so that the metadata is whole."""

from app.models.api_key import ApiKey
from app.models.audit_chain import AuditChain, AuditCheckpoint
from app.models.audit_event import AuditEvent
from app.models.chore_turn import ChoreTurn
from app.models.collection import Collection
from app.models.dead_letter import DeadLetter
from app.models.detection import Detection
from app.models.erasure import Erasure, LedgerEntry
from app.models.face import Face, FaceVector128, FaceVector512
from app.models.idempotency_key import IdempotencyKey
from app.models.image import Image
from app.models.job import Item, Job, Shard
from app.models.mail import Mail
from app.models.presigned_upload import PresignedUpload
from app.models.source_pause import SourcePause
from app.models.subject import Subject
from app.models.tenant import StorageLocation, Tenant
from app.models.tenant_limits import TenantLimits
from app.models.usage import UsageDay, UsageEntry
from app.models.vector_change import VectorChange, VectorFollower
from app.models.webhook_delivery import WebhookAttempt, WebhookDelivery
from app.models.webhook_endpoint import WebhookEndpoint
from app.models.worker import Worker

__all__ = [
    "ApiKey",
    "AuditChain",
    "AuditCheckpoint",
    "AuditEvent",
    "ChoreTurn",
    "Collection",
    "DeadLetter",
    "Detection",
    "Erasure",
    "Face",
    "FaceVector128",
    "FaceVector512",
    "IdempotencyKey",
    "Image",
    "Item",
    "Job",
    "LedgerEntry",
    "Mail",
    "PresignedUpload",
    "Shard",
    "SourcePause",
    "StorageLocation",
    "Subject",
    "Tenant",
    "TenantLimits",
    "UsageDay",
    "UsageEntry",
    "VectorChange",
    "VectorFollower",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "Worker",
]
