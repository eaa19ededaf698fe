from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.factories.callers import Caller


@pytest.mark.parametrize("path", ["/", "/docs", "/docs/", "/api/v1/docs/", "/api/v1", "/api/v1/"])
def test_the_obvious_addresses_lead_to_the_page_for_people(client: FlaskClient, path: str) -> None:
    response = client.get(path, follow_redirects=True)
    assert response.status_code == 200
    assert response.request.path == "/api/v1/docs"


def test_a_slash_too_many_is_led_to_the_path_without_it(api: Caller) -> None:
    response = api.get("/collections/?limit=1")
    assert response.status_code == 308
    assert response.headers["Location"] == "/api/v1/collections?limit=1"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_whoever_sends_something_is_told_the_right_path(api: Caller, method: str) -> None:
    response = api.send(method, "/collections/", json={"name": "a"})
    assert response.status_code == 404
    assert "/api/v1/collections is the right one" in response.get_json()["detail"]


@pytest.mark.parametrize("path", ["/nothing/", "/x//example.org/", "/%2Fexample.org/"])
def test_a_path_that_is_none_either_way_leads_nowhere(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert not response.headers.get("Location", "").startswith("//")
    assert client.get(path, follow_redirects=True).status_code == 404
