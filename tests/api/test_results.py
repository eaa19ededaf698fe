from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.database.transactions import owner_transaction, tenant_transaction
from app.domain.identifiers import new_id
from app.domain.states import ItemState, Operation
from app.queries.items import list_items
from tests.factories.callers import Caller
from tests.factories.galleries import make_collection, make_face, make_subject
from tests.factories.jobs import close_item, lease_shard, make_job

MATCH = {
    "subject": "p-1",
    "subject_id": str(new_id()),
    "face_id": str(new_id()),
    "similarity": 0.61,
    "fmr": 1e-6,
    "fmr_basis": "extrapolated",
}
REASON = {
    "rule": "target_fpir",
    "target_fpir": 0.01,
    "faces": 100,
    "fmr": 1e-4,
    "fmr_basis": "extrapolated",
    "calibration": "shipped",
}


def _items(api: Caller, job_id: UUID, query: str = "") -> list[dict[str, Any]]:
    response = api.get(f"/jobs/{job_id}/items{query}")
    assert response.status_code == 200
    data: list[dict[str, Any]] = response.get_json()["data"]
    return data


def test_an_item_tells_its_faces_in_pixels_of_the_displayed_image(api: Caller) -> None:
    job_id = make_job(api.tenant_id)
    close_item(job_id, 0, faces=[{}, {}])
    (item,) = _items(api, job_id)
    assert (item["custom_id"], item["state"], item["error"]) == ("item-0", "succeeded", None)
    assert (item["width"], item["height"]) == (640, 480)
    assert item["model"] == api.get(f"/jobs/{job_id}").get_json()["model"]
    assert (item["engine"], item["pipeline"]) == ("onnxruntime fp32", "2")
    assert [face["face_no"] for face in item["faces"]] == [0, 1]
    face = item["faces"][0]
    assert face["box"] == {"x": 10, "y": 20, "width": 80, "height": 100}
    assert face["landmarks"] == [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]]
    assert face["quality"] == pytest.approx(0.81)
    assert not {"decision", "matches", "face_id", "embedding"} & face.keys()


def test_an_identified_face_has_a_decision_and_its_matches(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    job_id = make_job(api.tenant_id, operation=Operation.IDENTIFY, collection_id=collection.id)
    subject = make_subject(collection, "p-1")
    named = MATCH | {
        "subject_id": str(subject.id),
        "face_id": str(make_face(collection, subject).id),
    }
    searched = {"search_index": "exact", "search_faces": 7, "search_recall": 1}
    match = {"decision": "match", "matches": [named], "threshold": 0.4, **searched}
    match["threshold_reason"] = REASON
    close_item(job_id, 0, faces=[match, {"decision": "unknown", "matches": []}])
    known, unknown = _items(api, job_id)[0]["faces"]
    assert (known["decision"], known["matches"], known["threshold"]) == ("match", [named], 0.4)
    assert known["threshold_reason"] == REASON
    assert known["search"] == {"index": "exact", "faces": 7, "recall": 1}
    assert (unknown["decision"], unknown["matches"]) == ("unknown", [])
    assert unknown["threshold_reason"] is None


def test_a_match_with_somebody_erased_is_told_without_naming_anybody(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    job_id = make_job(api.tenant_id, operation=Operation.IDENTIFY, collection_id=collection.id)
    close_item(job_id, 0, faces=[{"decision": "match", "matches": [MATCH], "threshold": 0.4}])
    (face,) = _items(api, job_id)[0]["faces"]
    assert face["decision"] == "match"
    nobody = {"subject": None, "subject_id": None, "face_id": None, "erased": True}
    assert face["matches"] == [MATCH | nobody]


def test_an_enrolled_face_says_what_became_of_it(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    job_id = make_job(
        api.tenant_id, operation=Operation.ENROL, collection_id=collection.id, subject="p-1"
    )
    subject = make_subject(collection)
    enrolled = {
        "face_id": str(make_face(collection, subject).id),
        "subject_id": str(subject.id),
        "enrolled": False,
        "reason": "already_enrolled",
    }
    close_item(job_id, 0, faces=[enrolled])
    (face,) = _items(api, job_id)[0]["faces"]
    assert {name: face[name] for name in enrolled} == enrolled


def test_a_verified_item_has_decision_similarity_and_fmr(api: Caller) -> None:
    job_id = _verify_job(api)
    (item,) = _items(api, job_id)
    assert (item["decision"], item["similarity"]) == ("match", 0.5)
    assert item["fmr"] == pytest.approx(1e-4)
    assert item["fmr_basis"] == "measured"


def test_a_failed_item_has_a_code_and_leaves_its_neighbours_alone(api: Caller) -> None:
    job_id = make_job(api.tenant_id, items=2)
    close_item(job_id, 0, error="no_face")
    close_item(job_id, 1, faces=[{}])
    failed, fine = _items(api, job_id)
    assert failed["error"] == {"code": "no_face", "message": "no_face"}
    assert failed["faces"] == []
    assert fine["state"] == "succeeded"


def test_items_can_be_filtered_by_state(api: Caller) -> None:
    job_id = make_job(api.tenant_id, items=3)
    close_item(job_id, 1, error="no_face")
    assert [item["custom_id"] for item in _items(api, job_id, "?state=failed")] == ["item-1"]
    waiting = [item["custom_id"] for item in _items(api, job_id, "?state=pending")]
    assert waiting == ["item-0", "item-2"]
    assert api.get(f"/jobs/{job_id}/items?state=lost").status_code == 422


def test_the_failed_items_of_a_large_job_are_found_without_reading_the_others(
    api: Caller,
) -> None:
    job_id = make_job(api.tenant_id, items=5000)
    close_item(job_id, 4000, error="no_face")
    with tenant_transaction(api.tenant_id) as session:
        before = session.execute(_ITEMS_READ).scalar_one()
        found = list_items(session, api.tenant_id, job_id, state=ItemState.FAILED, limit=10)
        read = session.execute(_ITEMS_READ).scalar_one() - before
    assert [item.seq for item in found] == [4000]
    assert read == 1


_ITEMS_READ = text(
    "SELECT coalesce(sum(idx_tup_fetch + seq_tup_read), 0) FROM pg_stat_xact_user_tables"
    " WHERE relname LIKE 'items_%'"
)


def test_pending_items_of_a_canceled_shard_read_as_canceled(api: Caller) -> None:
    job_id = make_job(api.tenant_id, items=600)
    lease_shard(job_id, 1)
    close_item(job_id, 0)
    api.post(f"/jobs/{job_id}/cancel")
    with owner_transaction() as session:
        written = session.execute(
            text("SELECT count(*) FROM items WHERE job_id = :id AND state = 'canceled'"),
            {"id": job_id},
        ).scalar_one()
    assert written == 0
    states = [item["state"] for item in _all_items(api, job_id)]
    assert states == ["succeeded"] + ["canceled"] * 255 + ["pending"] * 256 + ["canceled"] * 88
    pending = _all_items(api, job_id, "&state=pending")
    assert [item["custom_id"] for item in pending] == [f"item-{n}" for n in range(256, 512)]
    assert len(_all_items(api, job_id, "&state=canceled")) == 255 + 88


def test_the_export_has_one_line_an_item_equal_to_the_pages(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    job_id = make_job(
        api.tenant_id, items=3, operation=Operation.IDENTIFY, collection_id=collection.id
    )
    close_item(job_id, 0, faces=[{"decision": "match", "matches": [MATCH], "threshold": 0.4}])
    close_item(job_id, 1, error="no_face")
    response = api.get(f"/jobs/{job_id}/results.jsonl")
    assert response.mimetype == "application/jsonl"
    lines = [json.loads(line) for line in response.get_data(as_text=True).splitlines()]
    assert lines == _items(api, job_id)


def test_the_export_of_a_verification_equals_its_pages(api: Caller) -> None:
    job_id = _verify_job(api)
    (line,) = api.get(f"/jobs/{job_id}/results.jsonl").get_data(as_text=True).splitlines()
    assert [json.loads(line)] == _items(api, job_id)


def test_an_export_longer_than_a_chunk_is_whole_and_in_order(api: Caller) -> None:
    job_id = make_job(api.tenant_id, items=1001)
    lines = api.get(f"/jobs/{job_id}/results.jsonl").get_data(as_text=True).splitlines()
    assert [json.loads(line)["custom_id"] for line in lines] == [f"item-{n}" for n in range(1001)]


def test_an_export_that_nobody_reads_leaves_nothing_open(api: Caller) -> None:
    job_id = make_job(api.tenant_id)
    for response in (
        api.send("HEAD", f"/jobs/{job_id}/results.jsonl"),
        api.get(f"/jobs/{job_id}/results.jsonl", buffered=False),
    ):
        response.close()
    assert api.get(f"/jobs/{job_id}").status_code == 200


@pytest.mark.parametrize("path", ["items", "results.jsonl"])
def test_reading_results_is_audited_once_a_request(api: Caller, path: str) -> None:
    job_id = make_job(api.tenant_id, items=2)
    api.get(f"/jobs/{job_id}/{path}")
    event = api.get("/audit-events").get_json()["data"][0]
    assert event["action"] in {"job.results_read", "job.results_exported"}
    assert (event["target_id"], event["detail"]) == (str(job_id), {"items": 2})


def _all_items(api: Caller, job_id: UUID, filters: str = "") -> list[dict[str, Any]]:
    items, cursor = [], ""
    while cursor is not None:
        page = api.get(f"/jobs/{job_id}/items?limit=200{filters}{cursor}").get_json()
        items += page["data"]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    return items


def _verify_job(api: Caller) -> UUID:
    item = {"custom_id": "a", "image": "s3://photos/a.jpg", "reference": "s3://photos/b.jpg"}
    submitted = api.post("/jobs", json={"operation": "verify", "items": [item]}).get_json()
    job_id = UUID(submitted["id"])
    close_item(job_id, 0, faces=[{}])
    with owner_transaction() as session:
        session.execute(
            text(
                "UPDATE items SET decision = 'match', similarity = 0.5, fmr = 1e-4, "
                "fmr_basis = 'measured' WHERE job_id = :id"
            ),
            {"id": job_id},
        )
    return job_id


LIVENESS = {"score": 0.91, "live": True, "threshold": 0.5, "model": "MiniFASNet@0123456789ab"}
SPOOF = {**LIVENESS, "score": 0.12, "live": False}


def test_a_face_whose_liveness_was_checked_shows_what_was_found(api: Caller) -> None:
    job_id = make_job(api.tenant_id)
    close_item(job_id, 0, faces=[{"liveness": LIVENESS}, {"liveness": SPOOF}, {}])

    live, spoof, unasked = _items(api, job_id)[0]["faces"]

    assert (live["liveness"], spoof["liveness"]) == (LIVENESS, SPOOF)
    assert "liveness" not in unasked


def test_a_face_that_is_not_live_is_unknown_and_matches_nobody(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    job_id = make_job(api.tenant_id, operation=Operation.IDENTIFY, collection_id=collection.id)
    close_item(job_id, 0, faces=[{"liveness": SPOOF}])

    (face,) = _items(api, job_id)[0]["faces"]

    assert (face["decision"], face["matches"]) == ("unknown", [])


def test_a_face_that_was_not_good_enough_is_unknown_and_matches_nobody(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    job_id = make_job(api.tenant_id, operation=Operation.IDENTIFY, collection_id=collection.id)
    close_item(job_id, 0, faces=[{}])

    (face,) = _items(api, job_id)[0]["faces"]

    assert (face["decision"], face["matches"], face["threshold"]) == ("unknown", [], None)
    assert face["search"] is None


def test_a_face_of_an_enrolment_that_failed_was_not_enrolled_for_that_reason(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    job_id = make_job(
        api.tenant_id, operation=Operation.ENROL, collection_id=collection.id, subject="p-1"
    )
    close_item(job_id, 0, error="multiple_faces", faces=[{}, {}])

    faces = _items(api, job_id)[0]["faces"]

    assert {(face["enrolled"], face["reason"]) for face in faces} == {(False, "multiple_faces")}


def test_a_face_that_is_not_live_says_that_it_was_not_enrolled_for_that(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    job_id = make_job(
        api.tenant_id, operation=Operation.ENROL, collection_id=collection.id, subject="p-1"
    )
    close_item(job_id, 0, faces=[{"liveness": SPOOF}])

    (face,) = _items(api, job_id)[0]["faces"]

    assert (face["enrolled"], face["reason"], face["face_id"]) == (False, "not_live", None)
