from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.box import Box


T = TypeVar("T", bound="Face")


@_attrs_define
class Face:
    """
    Attributes:
        id (UUID):
        created_at (datetime.datetime):
        collection_id (UUID):
        subject_id (None | UUID):
        image_sha256 (str):
        face_no (int):
        box (Box):
        quality (float):
        model (str):
        job_id (UUID):
    """

    id: UUID
    created_at: datetime.datetime
    collection_id: UUID
    subject_id: None | UUID
    image_sha256: str
    face_no: int
    box: Box
    quality: float
    model: str
    job_id: UUID
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        created_at = self.created_at.isoformat()

        collection_id = str(self.collection_id)

        subject_id: None | str
        if isinstance(self.subject_id, UUID):
            subject_id = str(self.subject_id)
        else:
            subject_id = self.subject_id

        image_sha256 = self.image_sha256

        face_no = self.face_no

        box = self.box.to_dict()

        quality = self.quality

        model = self.model

        job_id = str(self.job_id)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "created_at": created_at,
                "collection_id": collection_id,
                "subject_id": subject_id,
                "image_sha256": image_sha256,
                "face_no": face_no,
                "box": box,
                "quality": quality,
                "model": model,
                "job_id": job_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.box import Box  # noqa: PLC0415

        d = dict(src_dict)
        id = UUID(d.pop("id"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        collection_id = UUID(d.pop("collection_id"))

        def _parse_subject_id(data: object) -> None | UUID:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                subject_id_type_0 = UUID(data)

                return subject_id_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | UUID, data)

        subject_id = _parse_subject_id(d.pop("subject_id"))

        image_sha256 = d.pop("image_sha256")

        face_no = d.pop("face_no")

        box = Box.from_dict(d.pop("box"))

        quality = d.pop("quality")

        model = d.pop("model")

        job_id = UUID(d.pop("job_id"))

        face = cls(
            id=id,
            created_at=created_at,
            collection_id=collection_id,
            subject_id=subject_id,
            image_sha256=image_sha256,
            face_no=face_no,
            box=box,
            quality=quality,
            model=model,
            job_id=job_id,
        )

        face.additional_properties = d
        return face

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
