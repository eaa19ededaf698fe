from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.attributes_emotion import AttributesEmotion
    from ..models.attributes_gender import AttributesGender
    from ..models.attributes_models import AttributesModels


T = TypeVar("T", bound="Attributes")


@_attrs_define
class Attributes:
    """
    Attributes:
        models (AttributesModels): name@digest by attribute
        age (float | Unset): Apparent age in years
        gender (AttributesGender | Unset): Probability by label
        emotion (AttributesEmotion | Unset): Probability by label
    """

    models: AttributesModels
    age: float | Unset = UNSET
    gender: AttributesGender | Unset = UNSET
    emotion: AttributesEmotion | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        models = self.models.to_dict()

        age = self.age

        gender: dict[str, Any] | Unset = UNSET
        if not isinstance(self.gender, Unset):
            gender = self.gender.to_dict()

        emotion: dict[str, Any] | Unset = UNSET
        if not isinstance(self.emotion, Unset):
            emotion = self.emotion.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "models": models,
            }
        )
        if age is not UNSET:
            field_dict["age"] = age
        if gender is not UNSET:
            field_dict["gender"] = gender
        if emotion is not UNSET:
            field_dict["emotion"] = emotion

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.attributes_emotion import AttributesEmotion  # noqa: PLC0415
        from ..models.attributes_gender import AttributesGender  # noqa: PLC0415
        from ..models.attributes_models import AttributesModels  # noqa: PLC0415

        d = dict(src_dict)
        models = AttributesModels.from_dict(d.pop("models"))

        age = d.pop("age", UNSET)

        _gender = d.pop("gender", UNSET)
        gender: AttributesGender | Unset
        if isinstance(_gender, Unset):
            gender = UNSET
        else:
            gender = AttributesGender.from_dict(_gender)

        _emotion = d.pop("emotion", UNSET)
        emotion: AttributesEmotion | Unset
        if isinstance(_emotion, Unset):
            emotion = UNSET
        else:
            emotion = AttributesEmotion.from_dict(_emotion)

        attributes = cls(
            models=models,
            age=age,
            gender=gender,
            emotion=emotion,
        )

        attributes.additional_properties = d
        return attributes

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
