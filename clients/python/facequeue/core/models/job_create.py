from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define

from ..models.operation import Operation, check_operation
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.item_create import ItemCreate
    from ..models.job_create_metadata import JobCreateMetadata
    from ..models.job_options import JobOptions


T = TypeVar("T", bound="JobCreate")


@_attrs_define
class JobCreate:
    """
    Attributes:
        operation (Operation):
        items (list[ItemCreate]):
        collection_id (None | Unset | UUID):
        model (None | str | Unset):
        options (JobOptions | Unset):
        webhook_endpoint_id (None | Unset | UUID): One endpoint; null for none; absent for all that subscribe
        metadata (JobCreateMetadata | Unset): Your own data, up to 16 KiB of JSON
    """

    operation: Operation
    items: list[ItemCreate]
    collection_id: None | Unset | UUID = UNSET
    model: None | str | Unset = UNSET
    options: JobOptions | Unset = UNSET
    webhook_endpoint_id: None | Unset | UUID = UNSET
    metadata: JobCreateMetadata | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        operation: str = self.operation

        items = []
        for items_item_data in self.items:
            items_item = items_item_data.to_dict()
            items.append(items_item)

        collection_id: None | str | Unset
        if isinstance(self.collection_id, Unset):
            collection_id = UNSET
        elif isinstance(self.collection_id, UUID):
            collection_id = str(self.collection_id)
        else:
            collection_id = self.collection_id

        model: None | str | Unset
        if isinstance(self.model, Unset):
            model = UNSET
        else:
            model = self.model

        options: dict[str, Any] | Unset = UNSET
        if not isinstance(self.options, Unset):
            options = self.options.to_dict()

        webhook_endpoint_id: None | str | Unset
        if isinstance(self.webhook_endpoint_id, Unset):
            webhook_endpoint_id = UNSET
        elif isinstance(self.webhook_endpoint_id, UUID):
            webhook_endpoint_id = str(self.webhook_endpoint_id)
        else:
            webhook_endpoint_id = self.webhook_endpoint_id

        metadata: dict[str, Any] | Unset = UNSET
        if not isinstance(self.metadata, Unset):
            metadata = self.metadata.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "operation": operation,
                "items": items,
            }
        )
        if collection_id is not UNSET:
            field_dict["collection_id"] = collection_id
        if model is not UNSET:
            field_dict["model"] = model
        if options is not UNSET:
            field_dict["options"] = options
        if webhook_endpoint_id is not UNSET:
            field_dict["webhook_endpoint_id"] = webhook_endpoint_id
        if metadata is not UNSET:
            field_dict["metadata"] = metadata

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.item_create import ItemCreate  # noqa: PLC0415
        from ..models.job_create_metadata import JobCreateMetadata  # noqa: PLC0415
        from ..models.job_options import JobOptions  # noqa: PLC0415

        d = dict(src_dict)
        operation = check_operation(d.pop("operation"))

        items = []
        _items = d.pop("items")
        for items_item_data in _items:
            items_item = ItemCreate.from_dict(items_item_data)

            items.append(items_item)

        def _parse_collection_id(data: object) -> None | Unset | UUID:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                collection_id_type_0 = UUID(data)

                return collection_id_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Unset | UUID, data)

        collection_id = _parse_collection_id(d.pop("collection_id", UNSET))

        def _parse_model(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        model = _parse_model(d.pop("model", UNSET))

        _options = d.pop("options", UNSET)
        options: JobOptions | Unset
        if isinstance(_options, Unset):
            options = UNSET
        else:
            options = JobOptions.from_dict(_options)

        def _parse_webhook_endpoint_id(data: object) -> None | Unset | UUID:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                webhook_endpoint_id_type_0 = UUID(data)

                return webhook_endpoint_id_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Unset | UUID, data)

        webhook_endpoint_id = _parse_webhook_endpoint_id(d.pop("webhook_endpoint_id", UNSET))

        _metadata = d.pop("metadata", UNSET)
        metadata: JobCreateMetadata | Unset
        if isinstance(_metadata, Unset):
            metadata = UNSET
        else:
            metadata = JobCreateMetadata.from_dict(_metadata)

        job_create = cls(
            operation=operation,
            items=items,
            collection_id=collection_id,
            model=model,
            options=options,
            webhook_endpoint_id=webhook_endpoint_id,
            metadata=metadata,
        )

        return job_create
