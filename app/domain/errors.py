"""Every error FaceQueue raises on purpose, in one tree.

FaceQueueError
├── RequestError               cannot be served; app/web/error_responses.py makes a problem of it
│   ├── Unauthenticated  Forbidden  NotFound  Conflict  Invalid  RateLimited  Unavailable …
├── ItemError                  one image of a job failed; stored on its item
├── ModelError                 a model cannot be used; the process refuses to start
├── DeliveryError              a webhook attempt failed; recorded on the attempt
└── ConfigurationError         the settings are wrong; the process refuses to start

`code` is stable: clients match on it. `docs/errors.md` lists them all and a test keeps it so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


class FaceQueueError(Exception):
    """The root: anything raised on purpose."""

    code: ClassVar[str] = "internal_error"


class ConfigurationError(FaceQueueError):
    """The settings are incomplete or contradict each other."""

    code = "configuration_invalid"


class ModelError(FaceQueueError):
    """A recognition model cannot be used."""

    code = "model_unusable"


class ModelUnknown(ModelError):
    """No registry entry bears this name."""

    code = "model_unknown"


class ModelNotInstalled(ModelError):
    """The registry knows the model, but its files are not there."""

    code = "model_not_installed"


class ModelDigestMismatch(ModelError):
    """A weights file is not the file that the registry names."""

    code = "model_digest_mismatch"


class ModelLicenceRefused(ModelError):
    """The licence forbids commercial use and the operator has not said that this is fine."""

    code = "model_licence_refused"


class ModelSelfTestFailed(ModelError):
    """The loaded model does not reproduce its reference embedding."""

    code = "model_self_test_failed"


class IllegalTransition(FaceQueueError):
    """A state change that the state table does not allow."""

    code = "illegal_transition"


class BrokerUnavailable(FaceQueueError):
    """The message broker did not take a message in time; the hint expires and is sent again."""

    code = "broker_unavailable"


# --- requests ---------------------------------------------------------------------------------


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


class AttributesNotAllowed(Forbidden):
    code, title = "attributes_not_allowed", "The tenant may not ask for attributes of faces"


class KeyExpiryForbidden(Forbidden):
    code, title = "api_key_expiry_forbidden", "A key can make only keys that end no later than it"


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


class JobSealed(Conflict):
    code, title = "job_sealed", "The job takes no more items"


class DeliveryNotReplayable(Conflict):
    code, title = "delivery_not_replayable", "The delivery is too old to be replayed"


class EndpointDisabled(Conflict):
    code, title = "webhook_endpoint_disabled", "The webhook endpoint is disabled"


class TooManyEndpoints(Conflict):
    code, title = "webhook_endpoints_limit", "The tenant has as many webhook endpoints as it may"


class TooManyKeys(Conflict):
    code, title = "api_keys_limit", "The tenant has as many live keys as it may"


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


class InternalError(RequestError):
    status, code, title = 500, "internal_error", "Something failed that should not have"


class Unavailable(RequestError):
    status, code, title = 503, "unavailable", "A part this request needs does not answer"


class StorageRefused(Unavailable):
    """S3 said no, rather than nothing: the object is not there. To a client it is the same."""


# --- items ------------------------------------------------------------------------------------


class ItemError(FaceQueueError):
    """One image failed; its neighbours go on. The message is shown to the client."""

    code = "item_failed"

    @property
    def message(self) -> str:
        """What the client reads: what is wrong with this image."""
        return str(self)


class NotAnImage(ItemError):
    code = "not_an_image"


class UnsupportedImage(ItemError):
    code = "unsupported_image"


class ImageTooLarge(ItemError):
    code = "image_too_large"


class TooManyPixels(ItemError):
    code = "too_many_pixels"


class ImageCorrupt(ItemError):
    code = "image_corrupt"


class DecodeTimeout(ItemError):
    code = "decode_timeout"


class ImageNotFound(ItemError):
    code = "image_not_found"


class EmptyObject(ItemError):
    code = "empty_object"


class BucketForbidden(ItemError):
    code = "bucket_forbidden"


class ObjectNeedsKey(ItemError):
    code = "object_needs_key"


class ObjectArchived(ItemError):
    code = "object_archived"


class ObjectKeyUnavailable(ItemError):
    code = "object_key_unavailable"


class BucketElsewhere(ItemError):
    code = "bucket_in_other_region"


class StorageCredentialsRefused(ItemError):
    code = "storage_credentials_refused"


class StorageClockSkew(ItemError):
    code = "storage_clock_skew"


class LocationInvalid(ItemError):
    code = "location_invalid"


class StorageUnavailable(ItemError):
    """The storage did not answer, or said that it could not just now: it may, a little later.

    `reason` says why, without naming the object.
    """

    code = "storage_unavailable"

    def __init__(self, message: str, reason: str = "no answer") -> None:
        super().__init__(message)
        self.reason = reason


class SourceAway(StorageUnavailable):
    """The whole bucket does not answer: its images wait, and none ends with this."""

    def __init__(self, bucket: str, reason: str) -> None:
        super().__init__(f"the bucket {bucket} does not answer: {reason}", reason)
        self.bucket = bucket


class NoFace(ItemError):
    code = "no_face"


class MultipleFaces(ItemError):
    code = "multiple_faces"


class LowQuality(ItemError):
    code = "low_quality"


class NotLive(ItemError):
    code = "not_live"


class SubjectInvalid(ItemError):
    code = "subject_invalid"


class SubjectUnknown(ItemError):
    code = "subject_unknown"


class SubjectDeleted(ItemError):
    code = "subject_deleted"


class LivenessUnavailable(ItemError):
    code = "liveness_unavailable"


class AttributesUnavailable(ItemError):
    code = "attributes_unavailable"


class RecognitionFailed(ItemError):
    code = "recognition_failed"


class WorkerCrashed(ItemError):
    code = "worker_crashed"


# --- webhooks ---------------------------------------------------------------------------------


class DeliveryError(FaceQueueError):
    """A webhook attempt did not reach its receiver."""

    code = "webhook_failed"


class UnsafeAddress(DeliveryError):
    code = "webhook_address_forbidden"


class WebhookUnreachable(DeliveryError):
    code = "webhook_unreachable"
