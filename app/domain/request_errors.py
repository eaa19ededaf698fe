"""Requests that cannot be served; `app/web/error_responses.py` makes problem documents of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.domain.errors import FaceQueueError


@dataclass(frozen=True)
class FieldError:
    """One thing wrong in a request: `pointer` is a JSON pointer into the body or query."""

    pointer: str
    detail: str


class RequestError(FaceQueueError):
    """A request that cannot be served as it is. `detail` says what to do next."""

    status: ClassVar[int] = 400
    code = "bad_request"
    title: ClassVar[str] = "The request cannot be served"

    def __init__(
        self,
        detail: str = "",
        *,
        errors: tuple[FieldError, ...] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = errors
        self.retry_after = retry_after


class Unauthenticated(RequestError):
    status, code, title = 401, "unauthenticated", "A valid API key is needed"


class KeyRefused(Unauthenticated):
    def __init__(self, detail: str, tenant_id: UUID, key_id: UUID) -> None:
        super().__init__(detail)
        self.tenant_id = tenant_id
        self.key_id = key_id


class Forbidden(RequestError):
    status, code, title = 403, "forbidden", "The API key lacks the scope for this"


class AddressNotAllowed(Forbidden):
    code, title = "address_not_allowed", "The API key does not work from this address"

    def __init__(self, detail: str, tenant_id: UUID, key_id: UUID) -> None:
        super().__init__(detail)
        self.tenant_id = tenant_id
        self.key_id = key_id


class AttributesNotAllowed(Forbidden):
    code, title = "attributes_not_allowed", "The tenant may not ask for attributes of faces"


class KeyExpiryForbidden(Forbidden):
    code, title = "api_key_expiry_forbidden", "A key can make only keys that end no later than it"


class KeyAddressesForbidden(Forbidden):
    code = "api_key_addresses_forbidden"
    title = "A key can make only keys that work from no address where it does not itself"


class NotFound(RequestError):
    status, code, title = 404, "not_found", "There is no such resource"


class MethodNotAllowed(RequestError):
    status, code, title = 405, "method_not_allowed", "The resource does not know this method"


class Conflict(RequestError):
    status, code, title = 409, "conflict", "The resource is in another state"


class AlreadyExists(Conflict):
    code, title = "already_exists", "A resource with this name exists"


class JobAlreadyTerminal(Conflict):
    code, title = "job_already_terminal", "The job has ended"


class JobNotTerminal(Conflict):
    code, title = "job_not_terminal", "The job has not ended"


class NothingToRedrive(Conflict):
    code, title = "job_nothing_to_redrive", "No item of the job failed with that"


class CollectionDeleted(Conflict):
    code, title = "collection_deleted", "The job's collection was deleted"


class JobSealed(Conflict):
    code, title = "job_sealed", "The job takes no more items"


class ImageNotUploaded(Conflict):
    code, title = "image_not_uploaded", "The image's object is not there yet"


class ImageChanged(Conflict):
    code, title = "image_changed", "The image is not the one any more in which the face was found"


class ImageNotReadable(Conflict):
    code, title = "image_not_readable", "The image can no longer be read"


class DeliveryNotReplayable(Conflict):
    code, title = "delivery_not_replayable", "The delivery is too old to be replayed"


class EndpointDisabled(Conflict):
    code, title = "webhook_endpoint_disabled", "The webhook endpoint is disabled"


class TooManyEndpoints(Conflict):
    code, title = "webhook_endpoints_limit", "The tenant has as many webhook endpoints as it may"


class TooManyKeys(Conflict):
    code, title = "api_keys_limit", "The tenant has as many live keys as it may"


class StorageFull(Conflict):
    code, title = "storage_full", "The tenant stores as many bytes of uploads as it may"


class KeyEnded(Conflict):
    code, title = "api_key_ended", "The key is revoked or has expired"


class IdempotencyInProgress(Conflict):
    code, title = "idempotency_in_progress", "A request with this Idempotency-Key still runs"


class SecretAlreadyShown(Conflict):
    code, title = "secret_already_shown", "The secret of this request was shown and is gone"


class PreconditionFailed(RequestError):
    status, code, title = 412, "precondition_failed", "The resource is not what you read any more"


class PayloadTooLarge(RequestError):
    status, code, title = 413, "payload_too_large", "The body is larger than this service accepts"


class UnsupportedMediaType(RequestError):
    status, code = 415, "unsupported_media_type"
    title = "The body's content type is not one that this resource takes"


class ContentEncodingUnknown(UnsupportedMediaType):
    code, title = "content_encoding_unknown", "The body is packed in a way that is not known here"


class Invalid(RequestError):
    status, code = 422, "validation_failed"
    title = "The request has fields that are missing or wrong"


class EmptyJob(Invalid):
    code, title = "job_empty", "A job needs at least one item"


class TooManyItems(Invalid):
    code, title = "job_too_large", "The job has more items than one request may carry"


class DuplicateCustomId(Invalid):
    code, title = "custom_id_duplicate", "Two items of the job have the same custom_id"


class ModelMismatch(Invalid):
    code, title = "model_dimension_mismatch", "The model does not fit the collection"


class ModelUnavailable(Invalid):
    code, title = "model_unavailable", "No such model is offered here"


class ImageRejected(Invalid):
    code, title = "image_rejected", "The uploaded file is not an image this service can read"


class CursorInvalid(Invalid):
    code, title = "cursor_invalid", "The cursor was not made by this service"


class IdempotencyKeyReused(Invalid):
    code, title = "idempotency_key_reused", "This Idempotency-Key belongs to another request"


class WebhookUrlInvalid(Invalid):
    code, title = "webhook_url_invalid", "The webhook URL is not one that can be called"


class WebhookAddressForbidden(Invalid):
    code, title = "webhook_address_forbidden", "The webhook URL leads where webhooks may not go"


class RateLimited(RequestError):
    status, code, title = 429, "rate_limited", "Too many requests"


class TooManyJobs(RateLimited):
    code, title = "too_many_jobs", "The tenant has as many jobs in flight as it may"


class TooManyItemsWaiting(RateLimited):
    code, title = "too_many_items_waiting", "The tenant has as many items waiting as it may"


class InternalError(RequestError):
    status, code, title = 500, "internal_error", "Something failed that should not have"


class Unavailable(RequestError):
    status, code, title = 503, "unavailable", "A part this request needs does not answer"


class StorageRefused(Unavailable):
    """S3 said no, rather than nothing: the object is not there. To a client it is the same."""
