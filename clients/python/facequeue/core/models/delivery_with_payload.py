from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.delivery_with_payload_payload import DeliveryWithPayloadPayload


T = TypeVar("T", bound="DeliveryWithPayload")


@_attrs_define
class DeliveryWithPayload:
    """
    Attributes:
        id (UUID):
        created_at (datetime.datetime):
        endpoint_id (UUID):
        job_id (None | UUID):
        type_ (str):
        state (str):
        attempt_count (int): Since it was made, replayed or let go
        next_attempt_at (datetime.datetime | None):
        finished_at (datetime.datetime | None):
        payload (DeliveryWithPayloadPayload): What is sent, frozen when the job ended
    """

    id: UUID
    created_at: datetime.datetime
    endpoint_id: UUID
    job_id: None | UUID
    type_: str
    state: str
    attempt_count: int
    next_attempt_at: datetime.datetime | None
    finished_at: datetime.datetime | None
    payload: DeliveryWithPayloadPayload
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        created_at = self.created_at.isoformat()

        endpoint_id = str(self.endpoint_id)

        job_id: None | str
        if isinstance(self.job_id, UUID):
            job_id = str(self.job_id)
        else:
            job_id = self.job_id

        type_ = self.type_

        state = self.state

        attempt_count = self.attempt_count

        next_attempt_at: None | str
        if isinstance(self.next_attempt_at, datetime.datetime):
            next_attempt_at = self.next_attempt_at.isoformat()
        else:
            next_attempt_at = self.next_attempt_at

        finished_at: None | str
        if isinstance(self.finished_at, datetime.datetime):
            finished_at = self.finished_at.isoformat()
        else:
            finished_at = self.finished_at

        payload = self.payload.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "created_at": created_at,
                "endpoint_id": endpoint_id,
                "job_id": job_id,
                "type": type_,
                "state": state,
                "attempt_count": attempt_count,
                "next_attempt_at": next_attempt_at,
                "finished_at": finished_at,
                "payload": payload,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.delivery_with_payload_payload import DeliveryWithPayloadPayload  # noqa: PLC0415

        d = dict(src_dict)
        id = UUID(d.pop("id"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        endpoint_id = UUID(d.pop("endpoint_id"))

        def _parse_job_id(data: object) -> None | UUID:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                job_id_type_0 = UUID(data)

                return job_id_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | UUID, data)

        job_id = _parse_job_id(d.pop("job_id"))

        type_ = d.pop("type")

        state = d.pop("state")

        attempt_count = d.pop("attempt_count")

        def _parse_next_attempt_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                next_attempt_at_type_0 = datetime.datetime.fromisoformat(data)

                return next_attempt_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        next_attempt_at = _parse_next_attempt_at(d.pop("next_attempt_at"))

        def _parse_finished_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                finished_at_type_0 = datetime.datetime.fromisoformat(data)

                return finished_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        finished_at = _parse_finished_at(d.pop("finished_at"))

        payload = DeliveryWithPayloadPayload.from_dict(d.pop("payload"))

        delivery_with_payload = cls(
            id=id,
            created_at=created_at,
            endpoint_id=endpoint_id,
            job_id=job_id,
            type_=type_,
            state=state,
            attempt_count=attempt_count,
            next_attempt_at=next_attempt_at,
            finished_at=finished_at,
            payload=payload,
        )

        delivery_with_payload.additional_properties = d
        return delivery_with_payload

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
