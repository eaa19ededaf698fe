from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.job_failure import JobFailure, check_job_failure
from ..models.job_state import JobState, check_job_state

if TYPE_CHECKING:
    from ..models.counts import Counts
    from ..models.job_errors_by_code import JobErrorsByCode
    from ..models.job_metadata import JobMetadata
    from ..models.job_options import JobOptions


T = TypeVar("T", bound="Job")


@_attrs_define
class Job:
    """
    Attributes:
        id (UUID):
        created_at (datetime.datetime):
        operation (str):
        state (JobState):
        priority (str):
        collection_id (None | UUID):
        model (str):
        options (JobOptions):
        counts (Counts):
        errors_by_code (JobErrorsByCode): How many items failed, by the code of their error
        failure_code (JobFailure | None): Why the job as a whole could not run
        metadata (JobMetadata): Your own data, up to 16 KiB of JSON
        started_at (datetime.datetime | None):
        finished_at (datetime.datetime | None):
        expires_at (datetime.datetime):
    """

    id: UUID
    created_at: datetime.datetime
    operation: str
    state: JobState
    priority: str
    collection_id: None | UUID
    model: str
    options: JobOptions
    counts: Counts
    errors_by_code: JobErrorsByCode
    failure_code: JobFailure | None
    metadata: JobMetadata
    started_at: datetime.datetime | None
    finished_at: datetime.datetime | None
    expires_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        created_at = self.created_at.isoformat()

        operation = self.operation

        state: str = self.state

        priority = self.priority

        collection_id: None | str
        if isinstance(self.collection_id, UUID):
            collection_id = str(self.collection_id)
        else:
            collection_id = self.collection_id

        model = self.model

        options = self.options.to_dict()

        counts = self.counts.to_dict()

        errors_by_code = self.errors_by_code.to_dict()

        failure_code: None | str
        if isinstance(self.failure_code, str):
            failure_code = self.failure_code
        else:
            failure_code = self.failure_code

        metadata = self.metadata.to_dict()

        started_at: None | str
        if isinstance(self.started_at, datetime.datetime):
            started_at = self.started_at.isoformat()
        else:
            started_at = self.started_at

        finished_at: None | str
        if isinstance(self.finished_at, datetime.datetime):
            finished_at = self.finished_at.isoformat()
        else:
            finished_at = self.finished_at

        expires_at = self.expires_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "created_at": created_at,
                "operation": operation,
                "state": state,
                "priority": priority,
                "collection_id": collection_id,
                "model": model,
                "options": options,
                "counts": counts,
                "errors_by_code": errors_by_code,
                "failure_code": failure_code,
                "metadata": metadata,
                "started_at": started_at,
                "finished_at": finished_at,
                "expires_at": expires_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.counts import Counts  # noqa: PLC0415
        from ..models.job_errors_by_code import JobErrorsByCode  # noqa: PLC0415
        from ..models.job_metadata import JobMetadata  # noqa: PLC0415
        from ..models.job_options import JobOptions  # noqa: PLC0415

        d = dict(src_dict)
        id = UUID(d.pop("id"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        operation = d.pop("operation")

        state = check_job_state(d.pop("state"))

        priority = d.pop("priority")

        def _parse_collection_id(data: object) -> None | UUID:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                collection_id_type_0 = UUID(data)

                return collection_id_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | UUID, data)

        collection_id = _parse_collection_id(d.pop("collection_id"))

        model = d.pop("model")

        options = JobOptions.from_dict(d.pop("options"))

        counts = Counts.from_dict(d.pop("counts"))

        errors_by_code = JobErrorsByCode.from_dict(d.pop("errors_by_code"))

        def _parse_failure_code(data: object) -> JobFailure | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                failure_code_type_0 = check_job_failure(data)

                return failure_code_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(JobFailure | None, data)

        failure_code = _parse_failure_code(d.pop("failure_code"))

        metadata = JobMetadata.from_dict(d.pop("metadata"))

        def _parse_started_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                started_at_type_0 = datetime.datetime.fromisoformat(data)

                return started_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        started_at = _parse_started_at(d.pop("started_at"))

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

        expires_at = datetime.datetime.fromisoformat(d.pop("expires_at"))

        job = cls(
            id=id,
            created_at=created_at,
            operation=operation,
            state=state,
            priority=priority,
            collection_id=collection_id,
            model=model,
            options=options,
            counts=counts,
            errors_by_code=errors_by_code,
            failure_code=failure_code,
            metadata=metadata,
            started_at=started_at,
            finished_at=finished_at,
            expires_at=expires_at,
        )

        job.additional_properties = d
        return job

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
