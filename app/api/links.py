"""What can be done next with what a call made: OpenAPI links, for tools that follow them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_OWN_ID = "$response.body#/id"


@dataclass(frozen=True)
class _Leads:
    """The answers that carry an id, the parameter that it is, and the calls that take it."""

    statuses: tuple[int, ...]
    parameters: dict[str, str]
    calls: tuple[str, ...]


def _in_path(name: str) -> dict[str, str]:
    return {name: f"$request.path.{name}"}


_LEADS = {
    "create_collection": _Leads(
        (201,),
        {"collection_id": _OWN_ID},
        (
            "get_collection",
            "update_collection",
            "create_subject",
            "list_subjects",
            "list_collection_faces",
            "delete_collection",
        ),
    ),
    "create_subject": _Leads(
        (201,),
        {**_in_path("collection_id"), "subject_id": _OWN_ID},
        ("get_subject", "update_subject", "list_faces", "delete_subject"),
    ),
    "upload_image": _Leads((201,), {"image_id": _OWN_ID}, ("delete_image",)),
    "submit_job": _Leads(
        (200, 202),
        {"job_id": _OWN_ID},
        ("get_job", "list_items", "export_job", "cancel_job", "delete_job"),
    ),
    "create_endpoint": _Leads(
        (201,),
        {"endpoint_id": _OWN_ID},
        (
            "get_endpoint",
            "update_endpoint",
            "send_test_event",
            "rotate_secret",
            "list_deliveries",
            "delete_endpoint",
        ),
    ),
    "send_test_event": _Leads(
        (202,),
        {**_in_path("endpoint_id"), "delivery_id": _OWN_ID},
        ("get_delivery", "list_attempts", "replay_delivery"),
    ),
    "create_api_key": _Leads((201,), {"key_id": _OWN_ID}, ("rotate_api_key", "revoke_api_key")),
}


def add_links(operation: dict[str, Any], said: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Write those of an operation to its answers; flask-smorest calls this."""
    leads = _LEADS.get(said.get("manual_doc", {}).get("operationId", ""))
    if leads:
        links = {
            name: {"operationId": name, "parameters": leads.parameters} for name in leads.calls
        }
        for status in leads.statuses:
            operation["responses"][status]["links"] = links
    return operation
