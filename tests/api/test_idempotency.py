from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from app.database.transactions import owner_transaction
from app.domain.names import Scope
from app.domain.request_errors import (
    RequestError,
    Unavailable,
)
from app.services.gallery import collections
from app.services.tenancy import run_once as idempotency
from app.web.json_text import canonical
from tests.factories.callers import Caller
from tests.factories.images import png

JOB = {"operation": "detect", "items": [{"custom_id": "a", "image": "s3://photos/a.jpg"}]}


def _post(api: Caller, path: str, body: dict[str, Any], key: str, **headers: str) -> TestResponse:
    return api.post(path, json=body, headers={"Idempotency-Key": key, **headers})


def test_the_same_request_again_replays_the_first_answer(api: Caller) -> None:
    first = _post(api, "/jobs", JOB, "key-1")
    again = _post(api, "/jobs", JOB, "key-1")
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.data == first.data
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert "Idempotent-Replayed" not in first.headers
    assert len(api.get("/jobs").get_json()["data"]) == 1


def test_another_body_under_the_same_key_is_refused(api: Caller) -> None:
    _post(api, "/collections", {"name": "a"}, "key-1")
    response = _post(api, "/collections", {"name": "b"}, "key-1")
    assert response.status_code == 422
    assert response.get_json()["code"] == "idempotency_key_reused"


def test_another_path_under_the_same_key_is_refused(api: Caller) -> None:
    _post(api, "/collections", {"name": "a"}, "key-1")
    response = _post(api, "/jobs", {"name": "a"}, "key-1")
    assert response.get_json()["code"] == "idempotency_key_reused"


def test_a_key_of_another_tenant_is_another_key(api: Caller, stranger: Caller) -> None:
    _post(api, "/collections", {"name": "a"}, "key-1")
    assert _post(stranger, "/collections", {"name": "b"}, "key-1").status_code == 201


def test_concurrent_duplicates_make_one_job(api: Caller) -> None:
    ready = threading.Barrier(12)

    def submit(_: int) -> TestResponse:
        ready.wait()
        return _post(api, "/jobs", JOB, "key-1")

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(submit, range(12)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.get_json()["id"] for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 11
    assert len(api.get("/jobs").get_json()["data"]) == 1


def test_a_duplicate_of_a_request_that_takes_too_long_is_told_so(
    api: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "_WAIT_S", 1)
    started, finish = threading.Event(), threading.Event()
    create = collections.create_collection

    def slow(*args: Any) -> Any:
        started.set()
        assert finish.wait(30)
        return create(*args)

    monkeypatch.setattr(collections, "create_collection", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(_post, api, "/collections", {"name": "a"}, "key-1")
        assert started.wait(30)
        duplicate = _post(api, "/collections", {"name": "a"}, "key-1")
        finish.set()
        assert first.result().status_code == 201
    assert duplicate.status_code == 409
    assert duplicate.get_json()["code"] == "idempotency_in_progress"
    assert _post(api, "/collections", {"name": "a"}, "key-1").status_code == 201


def test_a_refusal_is_not_kept(api: Caller) -> None:
    taken = api.post("/collections", json={"name": "taken"}).get_json()
    assert _post(api, "/collections", {"name": "taken"}, "key-1").status_code == 409
    api.delete(f"/collections/{taken['id']}")
    again = _post(api, "/collections", {"name": "taken"}, "key-1")
    assert again.status_code == 201
    assert "Idempotent-Replayed" not in again.headers


def test_a_body_that_does_not_validate_leaves_its_key_free_for_the_corrected_one(
    api: Caller,
) -> None:
    assert _post(api, "/collections", {}, "key-1").status_code == 422
    assert _post(api, "/collections", {"name": "a"}, "key-1").status_code == 201


def test_what_one_key_was_refused_another_is_not(api: Caller) -> None:
    wanted = {"name": "n", "scopes": ["jobs:read"]}
    lesser = api.with_scopes(Scope.KEYS_WRITE)
    assert _post(lesser, "/api-keys", wanted, "key-1").status_code == 403
    assert _post(api, "/api-keys", wanted, "key-1").status_code == 201


def test_the_answer_to_one_api_key_is_not_replayed_to_another(api: Caller) -> None:
    wanted = {"name": "n", "scopes": ["jobs:read"]}
    assert _post(api, "/api-keys", wanted, "key-1").status_code == 201
    response = _post(api.with_scopes(Scope.KEYS_WRITE), "/api-keys", wanted, "key-1")
    assert (response.status_code, response.get_json()["code"]) == (422, "idempotency_key_reused")


def test_two_keys_of_the_same_scopes_are_two_who_ask(api: Caller) -> None:
    _post(api, "/collections", {"name": "a"}, "key-1")
    response = _post(api.with_scopes(Scope.ADMIN), "/collections", {"name": "a"}, "key-1")
    assert (response.status_code, response.get_json()["code"]) == (422, "idempotency_key_reused")


def test_an_api_key_with_other_scopes_than_before_gets_no_replay(api: Caller) -> None:
    _post(api, "/collections", {"name": "a"}, "key-1")
    with owner_transaction() as session:
        session.execute(
            text("UPDATE api_keys SET scopes = '{collections:write}' WHERE tenant_id = :id"),
            {"id": api.tenant_id},
        )
    response = _post(api, "/collections", {"name": "a"}, "key-1")
    assert (response.status_code, response.get_json()["code"]) == (422, "idempotency_key_reused")


def test_members_in_another_order_are_the_same_body(api: Caller) -> None:
    def send(body: bytes) -> TestResponse:
        headers = {"Idempotency-Key": "key-1"}
        return api.post("/collections", data=body, content_type="application/json", headers=headers)

    first = send(b'{"name": "a", "metadata": {"x": 1, "y": [2]}}')
    again = send(b'{ "metadata": {"y": [2], "x": 1}, "name": "\\u0061" }')
    assert again.get_json() == first.get_json()
    assert again.headers["Idempotent-Replayed"] == "true"
    other = send(b'{"name": "a", "metadata": {"x": [2], "y": 1}}')
    assert other.get_json()["code"] == "idempotency_key_reused"


def test_elements_in_another_order_are_another_body(api: Caller) -> None:
    items = [{"custom_id": str(n), "image": "s3://photos/a.jpg"} for n in range(300)]
    _post(api, "/jobs", {"operation": "detect", "items": items}, "key-1")
    response = _post(api, "/jobs", {"operation": "detect", "items": items[::-1]}, "key-1")
    assert response.get_json()["code"] == "idempotency_key_reused"


def test_what_is_parsed_but_nests_too_deep_to_be_compared_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(RequestError, match="too deep"):
        list(canonical({"metadata": deep}))


def test_a_failure_of_ours_is_not_kept(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(collections, "create_collection", _unavailable)
        assert _post(api, "/collections", {"name": "a"}, "key-1").status_code == 503
    again = _post(api, "/collections", {"name": "a"}, "key-1")
    assert again.status_code == 201
    assert "Idempotent-Replayed" not in again.headers


def test_a_key_lives_for_a_day(api: Caller) -> None:
    first = _post(api, "/jobs", JOB, "key-1").get_json()["id"]
    _age(api, "expires_at", idempotency.KEPT_FOR)
    assert _post(api, "/jobs", JOB, "key-1").get_json()["id"] != first


def test_an_answer_with_a_secret_is_kept_encrypted(api: Caller) -> None:
    wanted = {"name": "n", "scopes": ["jobs:read"]}
    first = _post(api, "/api-keys", wanted, "key-1")
    again = _post(api, "/api-keys", wanted, "key-1")
    assert again.get_json()["key"] == first.get_json()["key"]
    with owner_transaction() as session:
        kept = session.execute(
            text("SELECT body FROM idempotency_keys WHERE tenant_id = :id"), {"id": api.tenant_id}
        ).scalar_one()
    assert first.get_json()["key"].encode() not in bytes(kept)


def test_an_answer_with_a_secret_is_gone_after_ten_minutes(api: Caller) -> None:
    wanted = {"name": "n", "scopes": ["jobs:read"]}
    _post(api, "/api-keys", wanted, "key-1")
    _age(api, "secret_until", idempotency.SECRET_KEPT_FOR)
    response = _post(api, "/api-keys", wanted, "key-1")
    assert response.status_code == 409
    assert response.get_json()["code"] == "secret_already_shown"


def test_an_upload_is_recognised_by_its_parts_not_by_its_boundary(api: Caller) -> None:
    def upload(content: bytes) -> TestResponse:
        parts = {"file": (BytesIO(content), "a.png")}
        return api.post("/images", data=parts, headers={"Idempotency-Key": "key-1"})

    assert upload(png()).get_json()["id"] == upload(png()).get_json()["id"]
    assert upload(png(30, 30)).get_json()["code"] == "idempotency_key_reused"


@pytest.mark.parametrize("key", ["", "has space", "x" * 256, "ümlaut"])
def test_a_key_that_is_not_plain_text_is_refused(api: Caller, key: str) -> None:
    response = _post(api, "/collections", {"name": "a"}, key)
    assert response.status_code == 400
    assert response.get_json()["errors"][0]["pointer"] == "/Idempotency-Key"


def test_without_a_key_each_request_has_its_own_effect(api: Caller) -> None:
    assert (
        api.post("/jobs", json=JOB).get_json()["id"] != api.post("/jobs", json=JOB).get_json()["id"]
    )


def _unavailable(*_: Any) -> None:
    raise Unavailable("away", retry_after=1)


def _age(api: Caller, column: str, by: dt.timedelta) -> None:
    with owner_transaction() as session:
        session.execute(
            text(f"UPDATE idempotency_keys SET {column} = {column} - :by WHERE tenant_id = :id"),
            {"by": by, "id": api.tenant_id},
        )


def test_a_body_that_broke_off_leaves_its_key_free_for_the_whole_one(api: Caller) -> None:
    cut = api.post(
        "/collections",
        data=b'{"name": "cut',
        content_type="application/json",
        headers={"Idempotency-Key": "key-1"},
        environ_overrides={"CONTENT_LENGTH": "20", "wsgi.input_terminated": True},
    )

    whole = _post(api, "/collections", {"name": "cut off"}, "key-1")

    assert (cut.status_code, cut.get_json()["code"]) == (400, "bad_request")
    assert whole.status_code == 201
