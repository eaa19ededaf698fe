from __future__ import annotations

from sqlalchemy import func, select

from app.database.transactions import tenant_transaction
from app.models.face import Face, FaceVector128
from tests.factories.callers import Caller
from tests.factories.galleries import make_collection, make_face, make_subject


def test_a_person_is_added_under_the_clients_own_id(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    path = f"/collections/{collection.id}/subjects"
    response = api.post(path, json={"external_id": "p-1", "metadata": {"team": "a"}})
    assert response.status_code == 201
    subject = response.get_json()
    assert subject["external_id"] == "p-1"
    assert subject["collection_id"] == str(collection.id)
    assert api.get(f"{path}/{subject['id']}").get_json() == subject
    assert api.get(path).get_json()["data"] == [subject]


def test_an_external_id_is_taken_once_in_a_collection(api: Caller) -> None:
    first, second = make_collection(api.tenant_id), make_collection(api.tenant_id)
    make_subject(first, "p-1")
    again = api.post(f"/collections/{first.id}/subjects", json={"external_id": "p-1"})
    assert (again.status_code, again.get_json()["code"]) == (409, "already_exists")
    elsewhere = api.post(f"/collections/{second.id}/subjects", json={"external_id": "p-1"})
    assert elsewhere.status_code == 201


def test_external_id_and_metadata_can_change(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    subject, other = make_subject(collection), make_subject(collection, "p-2")
    path = f"/collections/{collection.id}/subjects/{subject.id}"
    changed = api.patch(path, json={"external_id": "p-1"}).get_json()
    assert (changed["external_id"], changed["metadata"]) == ("p-1", {})
    assert api.patch(path, json={"metadata": {"k": 1}}).get_json()["external_id"] == "p-1"
    assert api.patch(path, json={"external_id": other.external_id}).status_code == 409


def test_a_subject_of_another_collection_is_not_found(api: Caller) -> None:
    subject = make_subject(make_collection(api.tenant_id))
    elsewhere = make_collection(api.tenant_id)
    path = f"/collections/{elsewhere.id}/subjects/{subject.id}"
    for response in (api.get(path), api.delete(path), api.get(f"{path}/faces")):
        assert response.status_code == 404


def test_the_faces_of_a_person_are_listed_without_their_embeddings(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    subject = make_subject(collection)
    faces = [make_face(collection, subject) for _ in range(2)]
    listed = api.get(f"/collections/{collection.id}/subjects/{subject.id}/faces").get_json()["data"]
    assert [face["id"] for face in listed] == [str(face.id) for face in faces[::-1]]
    assert listed[0]["box"] == {"x": 10, "y": 20, "width": 80, "height": 100}
    assert listed[0]["image_sha256"] == faces[1].image_sha256.hex()
    assert "embedding" not in listed[0]


def test_deleting_a_person_erases_the_faces_and_lowers_the_count(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    erased, kept = make_subject(collection), make_subject(collection)
    for subject in (erased, erased, kept):
        make_face(collection, subject)
    path = f"/collections/{collection.id}/subjects/{erased.id}"
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404
    assert api.get(f"/collections/{collection.id}").get_json()["face_count"] == 1
    assert _rows(api, Face, collection.id) == 1
    assert _rows(api, FaceVector128, collection.id) == 1


def test_deleting_a_face_erases_its_embedding_and_lowers_the_count(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    face = make_face(collection, make_subject(collection))
    path = f"/collections/{collection.id}/faces/{face.id}"
    assert api.delete(path).status_code == 204
    assert api.delete(path).status_code == 404
    assert api.get(f"/collections/{collection.id}").get_json()["face_count"] == 0
    assert _rows(api, FaceVector128, collection.id) == 0


def test_a_face_without_a_subject_can_be_deleted(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    face = make_face(collection, None)
    assert api.delete(f"/collections/{collection.id}/faces/{face.id}").status_code == 204


def _rows(api: Caller, model: type[Face | FaceVector128], collection_id: object) -> int:
    with tenant_transaction(api.tenant_id) as session:
        counted = select(func.count()).where(model.collection_id == collection_id)
        return session.scalar(counted) or 0
