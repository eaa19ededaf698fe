from __future__ import annotations

import pytest
from flask import Flask

from app.domain.identifiers import new_id
from tests.factories.tenant_world import TenantWorld


@pytest.fixture
def world(app: Flask, monkeypatch: pytest.MonkeyPatch) -> TenantWorld:
    """A fresh tenant, whose jobs no running worker serves: the test itself plays the worker."""
    del app
    model = f"SFace@{new_id()}"
    monkeypatch.setattr("app.services.jobs.new_job._model_of", lambda *_: model)
    return TenantWorld.create()
