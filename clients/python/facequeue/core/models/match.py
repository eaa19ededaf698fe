from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.rate_basis import RateBasis, check_rate_basis
from ..types import UNSET, Unset

T = TypeVar("T", bound="Match")


@_attrs_define
class Match:
    """
    Attributes:
        subject (None | str):
        subject_id (None | str):
        face_id (None | str):
        similarity (float):
        fmr (float):
        erased (bool | Unset): True when the face was erased since: `face_id` is null, and with its person gone too,
            `subject` and `subject_id`; absent otherwise
        taken_by (int | Unset): `face_no` of another face of the image that is this subject, so that this one is not
            (`options.distinct_people`): it stands behind those whom the face may be; absent otherwise
        fmr_basis (RateBasis | Unset):
    """

    subject: None | str
    subject_id: None | str
    face_id: None | str
    similarity: float
    fmr: float
    erased: bool | Unset = UNSET
    taken_by: int | Unset = UNSET
    fmr_basis: RateBasis | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        subject: None | str
        subject = self.subject

        subject_id: None | str
        subject_id = self.subject_id

        face_id: None | str
        face_id = self.face_id

        similarity = self.similarity

        fmr = self.fmr

        erased = self.erased

        taken_by = self.taken_by

        fmr_basis: str | Unset = UNSET
        if not isinstance(self.fmr_basis, Unset):
            fmr_basis = self.fmr_basis

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "subject": subject,
                "subject_id": subject_id,
                "face_id": face_id,
                "similarity": similarity,
                "fmr": fmr,
            }
        )
        if erased is not UNSET:
            field_dict["erased"] = erased
        if taken_by is not UNSET:
            field_dict["taken_by"] = taken_by
        if fmr_basis is not UNSET:
            field_dict["fmr_basis"] = fmr_basis

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_subject(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        subject = _parse_subject(d.pop("subject"))

        def _parse_subject_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        subject_id = _parse_subject_id(d.pop("subject_id"))

        def _parse_face_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        face_id = _parse_face_id(d.pop("face_id"))

        similarity = d.pop("similarity")

        fmr = d.pop("fmr")

        erased = d.pop("erased", UNSET)

        taken_by = d.pop("taken_by", UNSET)

        _fmr_basis = d.pop("fmr_basis", UNSET)
        fmr_basis: RateBasis | Unset
        if isinstance(_fmr_basis, Unset):
            fmr_basis = UNSET
        else:
            fmr_basis = check_rate_basis(_fmr_basis)

        match = cls(
            subject=subject,
            subject_id=subject_id,
            face_id=face_id,
            similarity=similarity,
            fmr=fmr,
            erased=erased,
            taken_by=taken_by,
            fmr_basis=fmr_basis,
        )

        match.additional_properties = d
        return match

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
