from __future__ import annotations

from marshmallow import fields, validate

from app.domain.calibration import RateBasis
from app.domain.matching import ThresholdRule
from app.domain.states import Decision, ItemState
from app.web.fields import AnswerSchema, BoxSchema
from app.web.pagination import PageArgs

_FMR_BASIS = {
    "title": "RateBasis",
    "description": "`measured`: enough comparisons were counted to have seen this rate; "
    "`extrapolated`: it follows from the shape of those that were",
}


class ItemListArgs(PageArgs):
    """Query of GET /jobs/{id}/items."""

    state = fields.Enum(ItemState, by_value=fields.String)


class MatchSchema(AnswerSchema):
    """A face of the gallery that resembles the probe."""

    subject = fields.String(required=True, allow_none=True)
    subject_id = fields.String(required=True, allow_none=True)
    face_id = fields.String(required=True, allow_none=True)
    erased = fields.Boolean(
        metadata={
            "description": "True when the face was erased since: `face_id` is null, and with its "
            "person gone too, `subject` and `subject_id`; absent otherwise"
        }
    )
    similarity = fields.Float(required=True)
    taken_by = fields.Integer(
        metadata={
            "description": "`face_no` of another face of the image that is this subject, so that "
            "this one is not (`options.distinct_people`): it stands behind those whom the face may "
            "be; absent otherwise"
        }
    )
    fmr = fields.Float(required=True)
    fmr_basis = fields.String(
        validate=validate.OneOf([basis.value for basis in RateBasis]), metadata=_FMR_BASIS
    )


class ThresholdReasonSchema(AnswerSchema):
    """Why this threshold was applied."""

    rule = fields.String(
        required=True,
        validate=validate.OneOf([rule.value for rule in ThresholdRule]),
        metadata={
            "title": "ThresholdRule",
            "description": "The collection's `threshold`, or what its `target_fpir` asks for",
        },
    )
    target_fpir = fields.Float(required=True, allow_none=True)
    faces = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "How many faces the collection had at that moment"},
    )
    fmr = fields.Float(
        required=True, metadata={"description": "How often one stranger reaches the threshold"}
    )
    fmr_basis = fields.String(
        required=True,
        validate=validate.OneOf([basis.value for basis in RateBasis]),
        metadata=_FMR_BASIS,
    )
    calibration = fields.String(
        required=True, metadata={"description": "Version of the calibration, or `shipped`"}
    )


class SearchSchema(AnswerSchema):
    """How a face was compared with those of its collection."""

    index = fields.String(
        required=True,
        metadata={"description": "What compared the face; what begins with `exact` misses nobody"},
    )
    faces = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Faces that the collection had; null in results of old versions"},
    )
    recall = fields.Float(
        required=True,
        allow_none=True,
        metadata={
            "description": "Share of probes whose nearest face such a search finds, 0 to 1; null "
            "in results of old versions"
        },
    )


class LivenessSchema(AnswerSchema):
    """What a passive anti-spoofing model says of a face; `live` is score >= threshold."""

    score = fields.Float(required=True, metadata={"description": "0 (spoof) to 1 (live)"})
    live = fields.Boolean(required=True)
    threshold = fields.Float(required=True)
    model = fields.String(required=True)


class AttributesSchema(AnswerSchema):
    """Estimates by DeepFace's models: what a face looks like, not what its person is or feels."""

    age = fields.Float(metadata={"description": "Apparent age in years"})
    gender = fields.Dict(metadata={"description": "Probability by label"})
    emotion = fields.Dict(metadata={"description": "Probability by label"})
    models = fields.Dict(required=True, metadata={"description": "name@digest by attribute"})


class MovedFromSchema(AnswerSchema):
    """Whose face it was; nulls where it was nobody's, or they were erased since."""

    subject = fields.String(required=True, allow_none=True)
    subject_id = fields.String(required=True, allow_none=True)
    left_without_faces = fields.Boolean(
        required=True, metadata={"description": "Whether they have no face any more, at this time"}
    )


class FaceResultSchema(AnswerSchema):
    """A face in an image; `identify` adds decision and matches, `enrol` what became of it."""

    face_no = fields.Integer(required=True)
    box = fields.Nested(BoxSchema, required=True)
    landmarks = fields.List(fields.List(fields.Float()), required=True)
    detection_confidence = fields.Float(required=True)
    quality = fields.Float(required=True)
    liveness = fields.Nested(
        LivenessSchema, metadata={"description": "There when liveness was checked"}
    )
    attributes = fields.Nested(
        AttributesSchema, metadata={"description": "There when attributes were asked for"}
    )
    decision = fields.String(
        validate=validate.OneOf([Decision.MATCH, Decision.UNKNOWN, Decision.AMBIGUOUS]),
        metadata={"title": "FaceDecision"},
    )
    matches = fields.List(fields.Nested(MatchSchema))
    threshold = fields.Float(allow_none=True)
    threshold_reason = fields.Nested(
        ThresholdReasonSchema,
        allow_none=True,
        metadata={"description": "Null where nothing was compared, or before this was kept"},
    )
    search = fields.Nested(
        SearchSchema,
        allow_none=True,
        metadata={"description": "Of `identify`: null when the face was compared with nobody"},
    )
    face_id = fields.String(
        allow_none=True, metadata={"description": "Null also when it was erased since"}
    )
    subject = fields.String(
        allow_none=True, metadata={"description": "External id of whose face it is"}
    )
    subject_id = fields.String(
        allow_none=True, metadata={"description": "Null also when it was erased since"}
    )
    enrolled = fields.Boolean()
    reason = fields.String(
        allow_none=True,
        metadata={"description": "Why it was not enrolled; `moved` when it was another person's"},
    )
    moved_from = fields.Nested(
        MovedFromSchema, metadata={"description": "There when `reason` is `moved`"}
    )


class ItemErrorSchema(AnswerSchema):
    """Why an item failed."""

    code = fields.String(required=True)
    message = fields.String(required=True)


class ItemSchema(AnswerSchema):
    """An item with its result; `verify` adds decision, similarity and fmr, `enrol` `replaced`."""

    custom_id = fields.String(required=True)
    state = fields.String(
        required=True,
        validate=validate.OneOf([state.value for state in ItemState]),
        metadata={"title": "ItemState"},
    )
    width = fields.Integer(required=True, allow_none=True)
    height = fields.Integer(required=True, allow_none=True)
    faces = fields.List(fields.Nested(FaceResultSchema), required=True)
    model = fields.String(required=True)
    engine = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "What computed the networks, in which precision"},
    )
    pipeline = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Version of what is done around the networks"},
    )
    image_version = fields.String(
        metadata={"description": "The version of the S3 object that was asked for; else absent"}
    )
    reference_version = fields.String(metadata={"description": "The same of the reference"})
    error = fields.Nested(ItemErrorSchema, required=True, allow_none=True)
    replaced = fields.List(
        fields.String(),
        metadata={"description": "Of `enrol`: ids of the faces that were erased for its own"},
    )
    decision = fields.String(allow_none=True)
    similarity = fields.Float(allow_none=True)
    fmr = fields.Float(allow_none=True)
    fmr_basis = fields.String(
        allow_none=True,
        validate=validate.OneOf([basis.value for basis in RateBasis]),
        metadata=_FMR_BASIS,
    )
