from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.item_problem import ItemProblem


T = TypeVar("T", bound="JobValidation")


@_attrs_define
class JobValidation:
    """
    Attributes:
        valid (bool): No item would fail with its submission
        items (int):
        problem_count (int): How many items would fail
        problems (list[ItemProblem]): The first of them, 20 at most
    """

    valid: bool
    items: int
    problem_count: int
    problems: list[ItemProblem]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        valid = self.valid

        items = self.items

        problem_count = self.problem_count

        problems = []
        for problems_item_data in self.problems:
            problems_item = problems_item_data.to_dict()
            problems.append(problems_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "valid": valid,
                "items": items,
                "problem_count": problem_count,
                "problems": problems,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.item_problem import ItemProblem  # noqa: PLC0415

        d = dict(src_dict)
        valid = d.pop("valid")

        items = d.pop("items")

        problem_count = d.pop("problem_count")

        problems = []
        _problems = d.pop("problems")
        for problems_item_data in _problems:
            problems_item = ItemProblem.from_dict(problems_item_data)

            problems.append(problems_item)

        job_validation = cls(
            valid=valid,
            items=items,
            problem_count=problem_count,
            problems=problems,
        )

        job_validation.additional_properties = d
        return job_validation

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
