from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.item_state import ItemState, check_item_state
from ..models.rate_basis import RateBasis, check_rate_basis
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.face_result import FaceResult
    from ..models.item_error import ItemError


T = TypeVar("T", bound="Item")


@_attrs_define
class Item:
    """
    Attributes:
        custom_id (str):
        state (ItemState):
        width (int | None):
        height (int | None):
        faces (list[FaceResult]):
        model (str):
        engine (None | str): What computed the networks, in which precision
        pipeline (None | str): Version of what is done around the networks
        error (ItemError | None):
        image_version (str | Unset): The version of the S3 object that was asked for; else absent
        reference_version (str | Unset): The same of the reference
        replaced (list[str] | Unset): Of `enrol`: ids of the faces that were erased for its own
        decision (None | str | Unset):
        similarity (float | None | Unset):
        fmr (float | None | Unset):
        fmr_basis (None | RateBasis | Unset): `measured`: enough comparisons were counted to have seen this rate;
            `extrapolated`: it follows from the shape of those that were
    """

    custom_id: str
    state: ItemState
    width: int | None
    height: int | None
    faces: list[FaceResult]
    model: str
    engine: None | str
    pipeline: None | str
    error: ItemError | None
    image_version: str | Unset = UNSET
    reference_version: str | Unset = UNSET
    replaced: list[str] | Unset = UNSET
    decision: None | str | Unset = UNSET
    similarity: float | None | Unset = UNSET
    fmr: float | None | Unset = UNSET
    fmr_basis: None | RateBasis | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.item_error import ItemError  # noqa: PLC0415

        custom_id = self.custom_id

        state: str = self.state

        width: int | None
        width = self.width

        height: int | None
        height = self.height

        faces = []
        for faces_item_data in self.faces:
            faces_item = faces_item_data.to_dict()
            faces.append(faces_item)

        model = self.model

        engine: None | str
        engine = self.engine

        pipeline: None | str
        pipeline = self.pipeline

        error: dict[str, Any] | None
        if isinstance(self.error, ItemError):
            error = self.error.to_dict()
        else:
            error = self.error

        image_version = self.image_version

        reference_version = self.reference_version

        replaced: list[str] | Unset = UNSET
        if not isinstance(self.replaced, Unset):
            replaced = self.replaced

        decision: None | str | Unset
        if isinstance(self.decision, Unset):
            decision = UNSET
        else:
            decision = self.decision

        similarity: float | None | Unset
        if isinstance(self.similarity, Unset):
            similarity = UNSET
        else:
            similarity = self.similarity

        fmr: float | None | Unset
        if isinstance(self.fmr, Unset):
            fmr = UNSET
        else:
            fmr = self.fmr

        fmr_basis: None | str | Unset
        if isinstance(self.fmr_basis, Unset):
            fmr_basis = UNSET
        elif isinstance(self.fmr_basis, str):
            fmr_basis = self.fmr_basis
        else:
            fmr_basis = self.fmr_basis

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "custom_id": custom_id,
                "state": state,
                "width": width,
                "height": height,
                "faces": faces,
                "model": model,
                "engine": engine,
                "pipeline": pipeline,
                "error": error,
            }
        )
        if image_version is not UNSET:
            field_dict["image_version"] = image_version
        if reference_version is not UNSET:
            field_dict["reference_version"] = reference_version
        if replaced is not UNSET:
            field_dict["replaced"] = replaced
        if decision is not UNSET:
            field_dict["decision"] = decision
        if similarity is not UNSET:
            field_dict["similarity"] = similarity
        if fmr is not UNSET:
            field_dict["fmr"] = fmr
        if fmr_basis is not UNSET:
            field_dict["fmr_basis"] = fmr_basis

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.face_result import FaceResult  # noqa: PLC0415
        from ..models.item_error import ItemError  # noqa: PLC0415

        d = dict(src_dict)
        custom_id = d.pop("custom_id")

        state = check_item_state(d.pop("state"))

        def _parse_width(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        width = _parse_width(d.pop("width"))

        def _parse_height(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        height = _parse_height(d.pop("height"))

        faces = []
        _faces = d.pop("faces")
        for faces_item_data in _faces:
            faces_item = FaceResult.from_dict(faces_item_data)

            faces.append(faces_item)

        model = d.pop("model")

        def _parse_engine(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        engine = _parse_engine(d.pop("engine"))

        def _parse_pipeline(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        pipeline = _parse_pipeline(d.pop("pipeline"))

        def _parse_error(data: object) -> ItemError | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                error_type_0 = ItemError.from_dict(data)

                return error_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ItemError | None, data)

        error = _parse_error(d.pop("error"))

        image_version = d.pop("image_version", UNSET)

        reference_version = d.pop("reference_version", UNSET)

        replaced = cast(list[str], d.pop("replaced", UNSET))

        def _parse_decision(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        decision = _parse_decision(d.pop("decision", UNSET))

        def _parse_similarity(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        similarity = _parse_similarity(d.pop("similarity", UNSET))

        def _parse_fmr(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        fmr = _parse_fmr(d.pop("fmr", UNSET))

        def _parse_fmr_basis(data: object) -> None | RateBasis | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                fmr_basis_type_0 = check_rate_basis(data)

                return fmr_basis_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | RateBasis | Unset, data)

        fmr_basis = _parse_fmr_basis(d.pop("fmr_basis", UNSET))

        item = cls(
            custom_id=custom_id,
            state=state,
            width=width,
            height=height,
            faces=faces,
            model=model,
            engine=engine,
            pipeline=pipeline,
            error=error,
            image_version=image_version,
            reference_version=reference_version,
            replaced=replaced,
            decision=decision,
            similarity=similarity,
            fmr=fmr,
            fmr_basis=fmr_basis,
        )

        item.additional_properties = d
        return item

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
