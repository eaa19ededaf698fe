from __future__ import annotations

import pytest
from flask import Flask

from tests.factories.callers import Caller, make_caller


@pytest.fixture
def api(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """A tenant's client without a rate limit."""
    monkeypatch.delitem(app.extensions, "facequeue-rate-limit")
    return make_caller(app)
