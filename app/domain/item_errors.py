"""What can be wrong with one image of a job; stored on its item and shown to the client."""

from __future__ import annotations

from app.domain.errors import FaceQueueError


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


class ImageNotCompleted(ItemError):
    code = "image_not_completed"


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
