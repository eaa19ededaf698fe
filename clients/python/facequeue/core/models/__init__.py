"""Contains all the data models used in inputs/outputs"""

from .api_key import ApiKey
from .api_key_create import ApiKeyCreate
from .api_key_page import ApiKeyPage
from .api_key_rotate import ApiKeyRotate
from .attempt import Attempt
from .attempt_error import AttemptError
from .attempt_page import AttemptPage
from .attribute_name import AttributeName
from .attributes import Attributes
from .attributes_emotion import AttributesEmotion
from .attributes_gender import AttributesGender
from .attributes_models import AttributesModels
from .audit_event import AuditEvent
from .audit_event_detail import AuditEventDetail
from .audit_event_page import AuditEventPage
from .box import Box
from .collection import Collection
from .collection_create import CollectionCreate
from .collection_create_metadata import CollectionCreateMetadata
from .collection_metadata import CollectionMetadata
from .collection_metadata_patch import CollectionMetadataPatch
from .collection_page import CollectionPage
from .collection_update import CollectionUpdate
from .counts import Counts
from .deleted_images import DeletedImages
from .deletion import Deletion
from .delivery import Delivery
from .delivery_page import DeliveryPage
from .delivery_state import DeliveryState
from .delivery_with_payload import DeliveryWithPayload
from .delivery_with_payload_payload import DeliveryWithPayloadPayload
from .endpoint import Endpoint
from .endpoint_create import EndpointCreate
from .endpoint_page import EndpointPage
from .endpoint_state import EndpointState
from .endpoint_update import EndpointUpdate
from .endpoint_with_secret import EndpointWithSecret
from .enrol_faces import EnrolFaces
from .event_type import EventType
from .face import Face
from .face_decision import FaceDecision
from .face_page import FacePage
from .face_result import FaceResult
from .faces_delete import FacesDelete
from .field_error import FieldError
from .image import Image
from .image_content_type import ImageContentType
from .image_presign import ImagePresign
from .image_upload import ImageUpload
from .images_delete import ImagesDelete
from .item import Item
from .item_create import ItemCreate
from .item_error import ItemError
from .item_page import ItemPage
from .item_problem import ItemProblem
from .item_state import ItemState
from .job import Job
from .job_create import JobCreate
from .job_create_metadata import JobCreateMetadata
from .job_errors_by_code import JobErrorsByCode
from .job_failure import JobFailure
from .job_metadata import JobMetadata
from .job_options import JobOptions
from .job_page import JobPage
from .job_redrive import JobRedrive
from .job_state import JobState
from .job_validation import JobValidation
from .licence import Licence
from .limit_use import LimitUse
from .limits import Limits
from .liveness import Liveness
from .match import Match
from .me import Me
from .model import Model
from .model_list import ModelList
from .moved_from import MovedFrom
from .new_api_key import NewApiKey
from .on_changed import OnChanged
from .on_conflict import OnConflict
from .operation import Operation
from .order import Order
from .presigned_image import PresignedImage
from .problem import Problem
from .rate_basis import RateBasis
from .rotation import Rotation
from .scope import Scope
from .search import Search
from .signed_request import SignedRequest
from .signed_request_headers import SignedRequestHeaders
from .subject import Subject
from .subject_create import SubjectCreate
from .subject_create_metadata import SubjectCreateMetadata
from .subject_metadata import SubjectMetadata
from .subject_metadata_patch import SubjectMetadataPatch
from .subject_page import SubjectPage
from .subject_update import SubjectUpdate
from .subjects_delete import SubjectsDelete
from .tenant_limits import TenantLimits
from .threshold_reason import ThresholdReason
from .threshold_rule import ThresholdRule
from .upload_method import UploadMethod
from .usage import Usage
from .usage_group import UsageGroup
from .usage_page import UsagePage

__all__ = (
    "ApiKey",
    "ApiKeyCreate",
    "ApiKeyPage",
    "ApiKeyRotate",
    "Attempt",
    "AttemptError",
    "AttemptPage",
    "AttributeName",
    "Attributes",
    "AttributesEmotion",
    "AttributesGender",
    "AttributesModels",
    "AuditEvent",
    "AuditEventDetail",
    "AuditEventPage",
    "Box",
    "Collection",
    "CollectionCreate",
    "CollectionCreateMetadata",
    "CollectionMetadata",
    "CollectionMetadataPatch",
    "CollectionPage",
    "CollectionUpdate",
    "Counts",
    "DeletedImages",
    "Deletion",
    "Delivery",
    "DeliveryPage",
    "DeliveryState",
    "DeliveryWithPayload",
    "DeliveryWithPayloadPayload",
    "Endpoint",
    "EndpointCreate",
    "EndpointPage",
    "EndpointState",
    "EndpointUpdate",
    "EndpointWithSecret",
    "EnrolFaces",
    "EventType",
    "Face",
    "FaceDecision",
    "FacePage",
    "FaceResult",
    "FacesDelete",
    "FieldError",
    "Image",
    "ImageContentType",
    "ImagePresign",
    "ImagesDelete",
    "ImageUpload",
    "Item",
    "ItemCreate",
    "ItemError",
    "ItemPage",
    "ItemProblem",
    "ItemState",
    "Job",
    "JobCreate",
    "JobCreateMetadata",
    "JobErrorsByCode",
    "JobFailure",
    "JobMetadata",
    "JobOptions",
    "JobPage",
    "JobRedrive",
    "JobState",
    "JobValidation",
    "Licence",
    "Limits",
    "LimitUse",
    "Liveness",
    "Match",
    "Me",
    "Model",
    "ModelList",
    "MovedFrom",
    "NewApiKey",
    "OnChanged",
    "OnConflict",
    "Operation",
    "Order",
    "PresignedImage",
    "Problem",
    "RateBasis",
    "Rotation",
    "Scope",
    "Search",
    "SignedRequest",
    "SignedRequestHeaders",
    "Subject",
    "SubjectCreate",
    "SubjectCreateMetadata",
    "SubjectMetadata",
    "SubjectMetadataPatch",
    "SubjectPage",
    "SubjectsDelete",
    "SubjectUpdate",
    "TenantLimits",
    "ThresholdReason",
    "ThresholdRule",
    "UploadMethod",
    "Usage",
    "UsageGroup",
    "UsagePage",
)
