from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.attribute_name import AttributeName, check_attribute_name
from ..models.enrol_faces import EnrolFaces, check_enrol_faces
from ..models.on_changed import OnChanged, check_on_changed
from ..models.on_conflict import OnConflict, check_on_conflict
from ..models.rotation import Rotation, check_rotation
from ..types import UNSET, Unset

T = TypeVar("T", bound="JobOptions")


@_attrs_define
class JobOptions:
    """
    Attributes:
        max_faces (int | Unset): So many faces of an image are kept, the largest
        min_quality (float | Unset): Faces below it are compared with nobody, and not enrolled
        min_face (int | Unset): Smallest face looked for, in pixels of the image
        top_k (int | Unset): So many subjects are shown as `matches` of a face
        liveness (bool | Unset): Judge by a passive model whether each face is live
        rotation (None | Rotation | Unset): How hard turned heads are looked for; null as the service is set
        enrol_faces (EnrolFaces | Unset):
        attributes (list[AttributeName] | Unset): Estimates of each face, for tenants that may ask for them
        on_conflict (OnConflict | Unset):
        on_changed (OnChanged | Unset):
        distinct_people (bool | Unset): `identify`: nobody is matched twice in one image; `false` for mirrors, collages
            and pages of pictures. Default true
    """

    max_faces: int | Unset = UNSET
    min_quality: float | Unset = UNSET
    min_face: int | Unset = UNSET
    top_k: int | Unset = UNSET
    liveness: bool | Unset = UNSET
    rotation: None | Rotation | Unset = UNSET
    enrol_faces: EnrolFaces | Unset = UNSET
    attributes: list[AttributeName] | Unset = UNSET
    on_conflict: OnConflict | Unset = UNSET
    on_changed: OnChanged | Unset = UNSET
    distinct_people: bool | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        max_faces = self.max_faces

        min_quality = self.min_quality

        min_face = self.min_face

        top_k = self.top_k

        liveness = self.liveness

        rotation: None | str | Unset
        if isinstance(self.rotation, Unset):
            rotation = UNSET
        elif isinstance(self.rotation, str):
            rotation = self.rotation
        else:
            rotation = self.rotation

        enrol_faces: str | Unset = UNSET
        if not isinstance(self.enrol_faces, Unset):
            enrol_faces = self.enrol_faces

        attributes: list[str] | Unset = UNSET
        if not isinstance(self.attributes, Unset):
            attributes = []
            for attributes_item_data in self.attributes:
                attributes_item: str = attributes_item_data
                attributes.append(attributes_item)

        on_conflict: str | Unset = UNSET
        if not isinstance(self.on_conflict, Unset):
            on_conflict = self.on_conflict

        on_changed: str | Unset = UNSET
        if not isinstance(self.on_changed, Unset):
            on_changed = self.on_changed

        distinct_people = self.distinct_people

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if max_faces is not UNSET:
            field_dict["max_faces"] = max_faces
        if min_quality is not UNSET:
            field_dict["min_quality"] = min_quality
        if min_face is not UNSET:
            field_dict["min_face"] = min_face
        if top_k is not UNSET:
            field_dict["top_k"] = top_k
        if liveness is not UNSET:
            field_dict["liveness"] = liveness
        if rotation is not UNSET:
            field_dict["rotation"] = rotation
        if enrol_faces is not UNSET:
            field_dict["enrol_faces"] = enrol_faces
        if attributes is not UNSET:
            field_dict["attributes"] = attributes
        if on_conflict is not UNSET:
            field_dict["on_conflict"] = on_conflict
        if on_changed is not UNSET:
            field_dict["on_changed"] = on_changed
        if distinct_people is not UNSET:
            field_dict["distinct_people"] = distinct_people

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        max_faces = d.pop("max_faces", UNSET)

        min_quality = d.pop("min_quality", UNSET)

        min_face = d.pop("min_face", UNSET)

        top_k = d.pop("top_k", UNSET)

        liveness = d.pop("liveness", UNSET)

        def _parse_rotation(data: object) -> None | Rotation | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                rotation_type_0 = check_rotation(data)

                return rotation_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Rotation | Unset, data)

        rotation = _parse_rotation(d.pop("rotation", UNSET))

        _enrol_faces = d.pop("enrol_faces", UNSET)
        enrol_faces: EnrolFaces | Unset
        if isinstance(_enrol_faces, Unset):
            enrol_faces = UNSET
        else:
            enrol_faces = check_enrol_faces(_enrol_faces)

        _attributes = d.pop("attributes", UNSET)
        attributes: list[AttributeName] | Unset = UNSET
        if _attributes is not UNSET:
            attributes = []
            for attributes_item_data in _attributes:
                attributes_item = check_attribute_name(attributes_item_data)

                attributes.append(attributes_item)

        _on_conflict = d.pop("on_conflict", UNSET)
        on_conflict: OnConflict | Unset
        if isinstance(_on_conflict, Unset):
            on_conflict = UNSET
        else:
            on_conflict = check_on_conflict(_on_conflict)

        _on_changed = d.pop("on_changed", UNSET)
        on_changed: OnChanged | Unset
        if isinstance(_on_changed, Unset):
            on_changed = UNSET
        else:
            on_changed = check_on_changed(_on_changed)

        distinct_people = d.pop("distinct_people", UNSET)

        job_options = cls(
            max_faces=max_faces,
            min_quality=min_quality,
            min_face=min_face,
            top_k=top_k,
            liveness=liveness,
            rotation=rotation,
            enrol_faces=enrol_faces,
            attributes=attributes,
            on_conflict=on_conflict,
            on_changed=on_changed,
            distinct_people=distinct_people,
        )

        return job_options
