"""What an item may name as its image and its reference: places, versions of them, uploads."""

from __future__ import annotations

import io
from typing import Any

import pytest

from app.api.job_items import ItemCreateSchema
from app.domain.identifiers import new_id
from tests.factories.callers import Caller
from tests.factories.galleries import make_collection
from tests.factories.images import png
from tests.factories.jobs import PLACE

ITEM = {"custom_id": "a", "image": f"{PLACE}a.jpg"}


def submit(api: Caller, operation: str, *items: dict[str, Any], **fields: Any) -> Any:
    return api.post("/jobs", json={"operation": operation, "items": list(items), **fields})


def results(api: Caller, operation: str, *items: dict[str, Any]) -> list[dict[str, Any]]:
    job = submit(api, operation, *items).get_json()
    found: list[dict[str, Any]] = api.get(f"/jobs/{job['id']}/items").get_json()["data"]
    return found


def pointer(response: Any) -> str:
    assert response.status_code == 422
    told: str = response.get_json()["errors"][0]["pointer"]
    return told


def upload(api: Caller) -> str:
    made = api.post("/images", data={"file": (io.BytesIO(png()), "a.png")})
    image_id: str = made.get_json()["id"]
    return image_id


def test_a_result_says_which_version_was_asked_for(api: Caller) -> None:
    versioned = {**ITEM, "image_version": "v1", "reference": f"{PLACE}b", "reference_version": "v2"}
    plain = {"custom_id": "b", "image": f"{PLACE}a.jpg", "reference": f"{PLACE}b"}

    with_versions, without = results(api, "verify", versioned, plain)

    assert (with_versions["image_version"], with_versions["reference_version"]) == ("v1", "v2")
    assert not {"image_version", "reference_version"} & without.keys()


@pytest.mark.parametrize("member", ["image_version", "reference_version"])
@pytest.mark.parametrize("version", ["", "x" * 1025, "x" * 9999])
def test_a_version_that_nothing_can_have_fails_its_item_alone(
    api: Caller, member: str, version: str
) -> None:
    wrong = {**ITEM, "reference": f"{PLACE}b", member: version}
    right = {"custom_id": "b", "image": f"{PLACE}a.jpg", "reference": f"{PLACE}b"}

    failed, waiting = results(api, "verify", wrong, right)

    assert failed["error"]["code"] == "location_invalid"
    assert "1 to 1024 characters" in failed["error"]["message"]
    assert waiting["state"] == "pending"


def test_a_version_of_1024_characters_is_one(api: Caller) -> None:
    (item,) = results(api, "detect", {**ITEM, "image_version": "x" * 1024})
    assert (item["state"], item["error"]) == ("pending", None)


def test_a_version_needs_what_it_is_a_version_of(api: Caller) -> None:
    uploaded = {"custom_id": "a", "image_id": str(new_id()), "image_version": "v"}
    assert pointer(submit(api, "detect", uploaded)) == "/items/0/image_version"
    claimed = {**ITEM, "subject": "s", "reference_version": "v"}
    collection_id = str(make_collection(api.tenant_id).id)
    refused = submit(api, "verify", claimed, collection_id=collection_id)
    assert pointer(refused) == "/items/0/reference_version"


def test_two_uploads_can_be_verified(api: Caller) -> None:
    item = {"custom_id": "a", "image_id": upload(api), "reference_id": upload(api)}
    (found,) = results(api, "verify", item)
    assert (found["state"], found["error"]) == ("pending", None)


def test_a_reference_that_was_not_uploaded_fails_its_item_alone(api: Caller) -> None:
    missing = str(new_id())
    wrong = {**ITEM, "reference_id": missing}
    right = {"custom_id": "b", "image": f"{PLACE}a.jpg", "reference_id": upload(api)}

    failed, waiting = results(api, "verify", wrong, right)

    assert failed["error"] == {
        "code": "image_not_found",
        "message": f"no upload of yours has the id {missing}",
    }
    assert waiting["state"] == "pending"


def test_another_tenants_upload_is_no_reference(api: Caller, stranger: Caller) -> None:
    (item,) = results(api, "verify", {**ITEM, "reference_id": upload(stranger)})
    assert item["error"]["code"] == "image_not_found"


@pytest.mark.parametrize(
    "named",
    [
        {"reference": f"{PLACE}b.jpg", "reference_id": str(new_id())},
        {"reference_id": str(new_id()), "subject": "s"},
        {"reference": f"{PLACE}b.jpg", "reference_id": str(new_id()), "subject": "s"},
        {},
    ],
    ids=["two references", "upload and subject", "all three", "none"],
)
def test_verify_takes_exactly_one_of_its_references(api: Caller, named: dict[str, str]) -> None:
    response = submit(
        api, "verify", {**ITEM, **named}, collection_id=str(make_collection(api.tenant_id).id)
    )
    assert pointer(response) == "/items/0/reference"


def test_only_verify_takes_a_reference(api: Caller) -> None:
    response = submit(api, "detect", {**ITEM, "reference_id": str(new_id())})
    assert pointer(response) == "/items/0/reference_id"


def test_a_job_of_as_many_items_as_may_be_may_name_all_their_members(api: Caller) -> None:
    count = api.get("/limits").get_json()["max_job_items"]
    empty = dict.fromkeys(ItemCreateSchema().fields)
    items = [{**empty, "custom_id": str(n), "image": f"{PLACE}a.jpg"} for n in range(count)]
    response = api.post("/jobs?validate_only=true", json={"operation": "detect", "items": items})
    assert (response.status_code, response.get_json()["items"]) == (200, count)
