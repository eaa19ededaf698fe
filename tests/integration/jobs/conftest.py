from __future__ import annotations

import pytest

PARKED_MODEL = "SFace@parked"


@pytest.fixture
def parked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs of a model that no running worker serves: the test itself plays the worker."""
    monkeypatch.setattr("app.services.jobs.new_job._model_of", lambda *_: PARKED_MODEL)


@pytest.fixture
def one_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a tenant uses is counted once: when it is counted again is no part of what is tested."""
    monkeypatch.setattr("app.services.tenancy.room._SERVES_TIMES", 1_000_000)
    monkeypatch.setattr("app.services.tenancy.room._SERVES_AT_MOST_S", 600.0)
