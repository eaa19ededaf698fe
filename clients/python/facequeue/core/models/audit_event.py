from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.audit_event_detail import AuditEventDetail


T = TypeVar("T", bound="AuditEvent")


@_attrs_define
class AuditEvent:
    """
    Attributes:
        id (UUID):
        created_at (datetime.datetime):
        action (str):
        actor_key_id (None | UUID):
        target_type (str):
        target_id (None | UUID):
        detail (AuditEventDetail):
        request_id (None | str):
        actor_name (None | str): The operator who acted from a command line
        actor_address (None | str): The client's address; an operator's host name
        transaction_id (int): The database transaction that wrote the event
        chain_no (int | None): Place in the tenant's chain, from 1; null until it is chained
        chain_hash (None | str): SHA-256 over the event and the chain before it, in hex
    """

    id: UUID
    created_at: datetime.datetime
    action: str
    actor_key_id: None | UUID
    target_type: str
    target_id: None | UUID
    detail: AuditEventDetail
    request_id: None | str
    actor_name: None | str
    actor_address: None | str
    transaction_id: int
    chain_no: int | None
    chain_hash: None | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        created_at = self.created_at.isoformat()

        action = self.action

        actor_key_id: None | str
        if isinstance(self.actor_key_id, UUID):
            actor_key_id = str(self.actor_key_id)
        else:
            actor_key_id = self.actor_key_id

        target_type = self.target_type

        target_id: None | str
        if isinstance(self.target_id, UUID):
            target_id = str(self.target_id)
        else:
            target_id = self.target_id

        detail = self.detail.to_dict()

        request_id: None | str
        request_id = self.request_id

        actor_name: None | str
        actor_name = self.actor_name

        actor_address: None | str
        actor_address = self.actor_address

        transaction_id = self.transaction_id

        chain_no: int | None
        chain_no = self.chain_no

        chain_hash: None | str
        chain_hash = self.chain_hash

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "created_at": created_at,
                "action": action,
                "actor_key_id": actor_key_id,
                "target_type": target_type,
                "target_id": target_id,
                "detail": detail,
                "request_id": request_id,
                "actor_name": actor_name,
                "actor_address": actor_address,
                "transaction_id": transaction_id,
                "chain_no": chain_no,
                "chain_hash": chain_hash,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.audit_event_detail import AuditEventDetail  # noqa: PLC0415

        d = dict(src_dict)
        id = UUID(d.pop("id"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        action = d.pop("action")

        def _parse_actor_key_id(data: object) -> None | UUID:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                actor_key_id_type_0 = UUID(data)

                return actor_key_id_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | UUID, data)

        actor_key_id = _parse_actor_key_id(d.pop("actor_key_id"))

        target_type = d.pop("target_type")

        def _parse_target_id(data: object) -> None | UUID:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                target_id_type_0 = UUID(data)

                return target_id_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | UUID, data)

        target_id = _parse_target_id(d.pop("target_id"))

        detail = AuditEventDetail.from_dict(d.pop("detail"))

        def _parse_request_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        request_id = _parse_request_id(d.pop("request_id"))

        def _parse_actor_name(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        actor_name = _parse_actor_name(d.pop("actor_name"))

        def _parse_actor_address(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        actor_address = _parse_actor_address(d.pop("actor_address"))

        transaction_id = d.pop("transaction_id")

        def _parse_chain_no(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        chain_no = _parse_chain_no(d.pop("chain_no"))

        def _parse_chain_hash(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        chain_hash = _parse_chain_hash(d.pop("chain_hash"))

        audit_event = cls(
            id=id,
            created_at=created_at,
            action=action,
            actor_key_id=actor_key_id,
            target_type=target_type,
            target_id=target_id,
            detail=detail,
            request_id=request_id,
            actor_name=actor_name,
            actor_address=actor_address,
            transaction_id=transaction_id,
            chain_no=chain_no,
            chain_hash=chain_hash,
        )

        audit_event.additional_properties = d
        return audit_event

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
