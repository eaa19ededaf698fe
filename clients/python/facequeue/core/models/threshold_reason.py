from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.rate_basis import RateBasis, check_rate_basis
from ..models.threshold_rule import ThresholdRule, check_threshold_rule

T = TypeVar("T", bound="ThresholdReason")


@_attrs_define
class ThresholdReason:
    """
    Attributes:
        rule (ThresholdRule):
        target_fpir (float | None):
        faces (int | None): How many faces the collection had at that moment
        fmr (float): How often one stranger reaches the threshold
        fmr_basis (RateBasis):
        calibration (str): Version of the calibration, or `shipped`
    """

    rule: ThresholdRule
    target_fpir: float | None
    faces: int | None
    fmr: float
    fmr_basis: RateBasis
    calibration: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        rule: str = self.rule

        target_fpir: float | None
        target_fpir = self.target_fpir

        faces: int | None
        faces = self.faces

        fmr = self.fmr

        fmr_basis: str = self.fmr_basis

        calibration = self.calibration

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "rule": rule,
                "target_fpir": target_fpir,
                "faces": faces,
                "fmr": fmr,
                "fmr_basis": fmr_basis,
                "calibration": calibration,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        rule = check_threshold_rule(d.pop("rule"))

        def _parse_target_fpir(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        target_fpir = _parse_target_fpir(d.pop("target_fpir"))

        def _parse_faces(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        faces = _parse_faces(d.pop("faces"))

        fmr = d.pop("fmr")

        fmr_basis = check_rate_basis(d.pop("fmr_basis"))

        calibration = d.pop("calibration")

        threshold_reason = cls(
            rule=rule,
            target_fpir=target_fpir,
            faces=faces,
            fmr=fmr,
            fmr_basis=fmr_basis,
            calibration=calibration,
        )

        threshold_reason.additional_properties = d
        return threshold_reason

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
