from __future__ import annotations

from marshmallow import fields

from app.web.fields import AnswerSchema, Timestamp


class LicenceSchema(AnswerSchema):
    """Under what terms a model may be used."""

    name = fields.String(required=True)
    commercial_use = fields.Boolean(required=True)
    source = fields.String(required=True)


class ModelSchema(AnswerSchema):
    """A model that a collection may be bound to."""

    name = fields.String(required=True, attribute="entry.name")
    identity = fields.String(required=True, metadata={"description": "name@digest"})
    dimensions = fields.Integer(required=True, attribute="entry.dimensions")
    default_threshold = fields.Float(required=True, attribute="entry.default_threshold")
    licence = fields.Nested(LicenceSchema, required=True, attribute="entry.licence")
    default = fields.Boolean(
        required=True, metadata={"description": "Whether a collection gets it that names none"}
    )
    live = fields.Boolean(
        required=True, metadata={"description": "Whether a worker for it was seen just now"}
    )


class ModelListSchema(AnswerSchema):
    """All models that are offered here."""

    data = fields.List(fields.Nested(ModelSchema), required=True)


class MeSchema(AnswerSchema):
    """Whose key makes the request."""

    tenant_id = fields.UUID(required=True, attribute="tenant.id")
    tenant_name = fields.String(required=True, attribute="tenant.name")
    key_id = fields.UUID(required=True, attribute="key.id")
    key_name = fields.String(required=True, attribute="key.name")
    scopes = fields.List(fields.String(), required=True, attribute="key.scopes")
    allowed_addresses = fields.List(
        fields.String(), required=True, allow_none=True, attribute="key.allowed_addresses"
    )
    expires_at = Timestamp(required=True, allow_none=True, attribute="key.expires_at")


class LimitUseSchema(AnswerSchema):
    """How far a limit goes, and how much of it is used."""

    limit = fields.Integer(required=True, allow_none=True, metadata={"description": "Null: none"})
    used = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Null: it is not counted"}
    )


class TenantLimitsSchema(AnswerSchema):
    """What a tenant may have and do, all its keys together; `used` is a second old at most."""

    jobs_in_flight = fields.Nested(
        LimitUseSchema, required=True, metadata={"description": "Jobs that have not ended"}
    )
    items_waiting = fields.Nested(
        LimitUseSchema, required=True, metadata={"description": "Items that are not done"}
    )
    requests_per_minute = fields.Nested(
        LimitUseSchema, required=True, metadata={"description": "In this minute, this one included"}
    )
    storage_bytes = fields.Nested(
        LimitUseSchema, required=True, metadata={"description": "Of uploads"}
    )


class LimitsSchema(AnswerSchema):
    """What this installation takes, how long it keeps it, and what the tenant has of it."""

    max_job_items = fields.Integer(required=True)
    max_upload_size = fields.Integer(required=True, metadata={"description": "Bytes"})
    max_image_pixels = fields.Integer(required=True)
    requests_per_minute = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Of a key; null: no limit"}
    )
    job_queue_days = fields.Integer(
        required=True, metadata={"description": "Days until a queued job expires"}
    )
    retention_days_jobs = fields.Integer(
        required=True, metadata={"description": "Days a finished job is kept"}
    )
    retention_days_images = fields.Integer(
        required=True, metadata={"description": "Days an upload is kept"}
    )
    liveness = fields.Boolean(
        required=True, metadata={"description": "Whether `options.liveness` is not switched off"}
    )
    webhooks = fields.Boolean(
        required=True, metadata={"description": "Whether webhooks are delivered"}
    )
    tenant = fields.Nested(TenantLimitsSchema, required=True)
