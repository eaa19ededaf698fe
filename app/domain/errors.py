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

from typing import ClassVar


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


class CalibrationInvalid(ModelError):
    """A calibration file is none, was changed, or is not there."""

    code = "calibration_invalid"


class IllegalTransition(FaceQueueError):
    """A state change that the state table does not allow."""

    code = "illegal_transition"


class BrokerUnavailable(FaceQueueError):
    """The message broker did not take a message in time; the hint expires and is sent again."""

    code = "broker_unavailable"


class DeliveryError(FaceQueueError):
    """A webhook attempt did not reach its receiver."""

    code = "webhook_failed"


class UnsafeAddress(DeliveryError):
    code = "webhook_address_forbidden"


class WebhookUnreachable(DeliveryError):
    code = "webhook_unreachable"
