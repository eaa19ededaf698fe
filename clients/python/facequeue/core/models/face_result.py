from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.face_decision import FaceDecision, check_face_decision
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.attributes import Attributes
    from ..models.box import Box
    from ..models.liveness import Liveness
    from ..models.match import Match
    from ..models.moved_from import MovedFrom
    from ..models.search import Search
    from ..models.threshold_reason import ThresholdReason


T = TypeVar("T", bound="FaceResult")


@_attrs_define
class FaceResult:
    """
    Attributes:
        face_no (int):
        box (Box):
        landmarks (list[list[float]]):
        detection_confidence (float):
        quality (float):
        liveness (Liveness | Unset):
        attributes (Attributes | Unset):
        decision (FaceDecision | Unset):
        matches (list[Match] | Unset):
        threshold (float | None | Unset):
        threshold_reason (None | ThresholdReason | Unset): Null where nothing was compared, or before this was kept
        search (None | Search | Unset): Of `identify`: null when the face was compared with nobody
        face_id (None | str | Unset): Null also when it was erased since
        subject (None | str | Unset): External id of whose face it is
        subject_id (None | str | Unset): Null also when it was erased since
        enrolled (bool | Unset):
        reason (None | str | Unset): Why it was not enrolled; `moved` when it was another person's
        moved_from (MovedFrom | Unset):
    """

    face_no: int
    box: Box
    landmarks: list[list[float]]
    detection_confidence: float
    quality: float
    liveness: Liveness | Unset = UNSET
    attributes: Attributes | Unset = UNSET
    decision: FaceDecision | Unset = UNSET
    matches: list[Match] | Unset = UNSET
    threshold: float | None | Unset = UNSET
    threshold_reason: None | ThresholdReason | Unset = UNSET
    search: None | Search | Unset = UNSET
    face_id: None | str | Unset = UNSET
    subject: None | str | Unset = UNSET
    subject_id: None | str | Unset = UNSET
    enrolled: bool | Unset = UNSET
    reason: None | str | Unset = UNSET
    moved_from: MovedFrom | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.search import Search  # noqa: PLC0415
        from ..models.threshold_reason import ThresholdReason  # noqa: PLC0415

        face_no = self.face_no

        box = self.box.to_dict()

        landmarks = []
        for landmarks_item_data in self.landmarks:
            landmarks_item = landmarks_item_data

            landmarks.append(landmarks_item)

        detection_confidence = self.detection_confidence

        quality = self.quality

        liveness: dict[str, Any] | Unset = UNSET
        if not isinstance(self.liveness, Unset):
            liveness = self.liveness.to_dict()

        attributes: dict[str, Any] | Unset = UNSET
        if not isinstance(self.attributes, Unset):
            attributes = self.attributes.to_dict()

        decision: str | Unset = UNSET
        if not isinstance(self.decision, Unset):
            decision = self.decision

        matches: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.matches, Unset):
            matches = []
            for matches_item_data in self.matches:
                matches_item = matches_item_data.to_dict()
                matches.append(matches_item)

        threshold: float | None | Unset
        if isinstance(self.threshold, Unset):
            threshold = UNSET
        else:
            threshold = self.threshold

        threshold_reason: dict[str, Any] | None | Unset
        if isinstance(self.threshold_reason, Unset):
            threshold_reason = UNSET
        elif isinstance(self.threshold_reason, ThresholdReason):
            threshold_reason = self.threshold_reason.to_dict()
        else:
            threshold_reason = self.threshold_reason

        search: dict[str, Any] | None | Unset
        if isinstance(self.search, Unset):
            search = UNSET
        elif isinstance(self.search, Search):
            search = self.search.to_dict()
        else:
            search = self.search

        face_id: None | str | Unset
        if isinstance(self.face_id, Unset):
            face_id = UNSET
        else:
            face_id = self.face_id

        subject: None | str | Unset
        if isinstance(self.subject, Unset):
            subject = UNSET
        else:
            subject = self.subject

        subject_id: None | str | Unset
        if isinstance(self.subject_id, Unset):
            subject_id = UNSET
        else:
            subject_id = self.subject_id

        enrolled = self.enrolled

        reason: None | str | Unset
        if isinstance(self.reason, Unset):
            reason = UNSET
        else:
            reason = self.reason

        moved_from: dict[str, Any] | Unset = UNSET
        if not isinstance(self.moved_from, Unset):
            moved_from = self.moved_from.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "face_no": face_no,
                "box": box,
                "landmarks": landmarks,
                "detection_confidence": detection_confidence,
                "quality": quality,
            }
        )
        if liveness is not UNSET:
            field_dict["liveness"] = liveness
        if attributes is not UNSET:
            field_dict["attributes"] = attributes
        if decision is not UNSET:
            field_dict["decision"] = decision
        if matches is not UNSET:
            field_dict["matches"] = matches
        if threshold is not UNSET:
            field_dict["threshold"] = threshold
        if threshold_reason is not UNSET:
            field_dict["threshold_reason"] = threshold_reason
        if search is not UNSET:
            field_dict["search"] = search
        if face_id is not UNSET:
            field_dict["face_id"] = face_id
        if subject is not UNSET:
            field_dict["subject"] = subject
        if subject_id is not UNSET:
            field_dict["subject_id"] = subject_id
        if enrolled is not UNSET:
            field_dict["enrolled"] = enrolled
        if reason is not UNSET:
            field_dict["reason"] = reason
        if moved_from is not UNSET:
            field_dict["moved_from"] = moved_from

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.attributes import Attributes  # noqa: PLC0415
        from ..models.box import Box  # noqa: PLC0415
        from ..models.liveness import Liveness  # noqa: PLC0415
        from ..models.match import Match  # noqa: PLC0415
        from ..models.moved_from import MovedFrom  # noqa: PLC0415
        from ..models.search import Search  # noqa: PLC0415
        from ..models.threshold_reason import ThresholdReason  # noqa: PLC0415

        d = dict(src_dict)
        face_no = d.pop("face_no")

        box = Box.from_dict(d.pop("box"))

        landmarks = []
        _landmarks = d.pop("landmarks")
        for landmarks_item_data in _landmarks:
            landmarks_item = cast(list[float], landmarks_item_data)

            landmarks.append(landmarks_item)

        detection_confidence = d.pop("detection_confidence")

        quality = d.pop("quality")

        _liveness = d.pop("liveness", UNSET)
        liveness: Liveness | Unset
        if isinstance(_liveness, Unset):
            liveness = UNSET
        else:
            liveness = Liveness.from_dict(_liveness)

        _attributes = d.pop("attributes", UNSET)
        attributes: Attributes | Unset
        if isinstance(_attributes, Unset):
            attributes = UNSET
        else:
            attributes = Attributes.from_dict(_attributes)

        _decision = d.pop("decision", UNSET)
        decision: FaceDecision | Unset
        if isinstance(_decision, Unset):
            decision = UNSET
        else:
            decision = check_face_decision(_decision)

        _matches = d.pop("matches", UNSET)
        matches: list[Match] | Unset = UNSET
        if _matches is not UNSET:
            matches = []
            for matches_item_data in _matches:
                matches_item = Match.from_dict(matches_item_data)

                matches.append(matches_item)

        def _parse_threshold(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        threshold = _parse_threshold(d.pop("threshold", UNSET))

        def _parse_threshold_reason(data: object) -> None | ThresholdReason | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                threshold_reason_type_0 = ThresholdReason.from_dict(data)

                return threshold_reason_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | ThresholdReason | Unset, data)

        threshold_reason = _parse_threshold_reason(d.pop("threshold_reason", UNSET))

        def _parse_search(data: object) -> None | Search | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                search_type_0 = Search.from_dict(data)

                return search_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Search | Unset, data)

        search = _parse_search(d.pop("search", UNSET))

        def _parse_face_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        face_id = _parse_face_id(d.pop("face_id", UNSET))

        def _parse_subject(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        subject = _parse_subject(d.pop("subject", UNSET))

        def _parse_subject_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        subject_id = _parse_subject_id(d.pop("subject_id", UNSET))

        enrolled = d.pop("enrolled", UNSET)

        def _parse_reason(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        reason = _parse_reason(d.pop("reason", UNSET))

        _moved_from = d.pop("moved_from", UNSET)
        moved_from: MovedFrom | Unset
        if isinstance(_moved_from, Unset):
            moved_from = UNSET
        else:
            moved_from = MovedFrom.from_dict(_moved_from)

        face_result = cls(
            face_no=face_no,
            box=box,
            landmarks=landmarks,
            detection_confidence=detection_confidence,
            quality=quality,
            liveness=liveness,
            attributes=attributes,
            decision=decision,
            matches=matches,
            threshold=threshold,
            threshold_reason=threshold_reason,
            search=search,
            face_id=face_id,
            subject=subject,
            subject_id=subject_id,
            enrolled=enrolled,
            reason=reason,
            moved_from=moved_from,
        )

        face_result.additional_properties = d
        return face_result

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
