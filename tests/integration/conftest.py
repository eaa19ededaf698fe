from __future__ import annotations

import pytest
from flask import Flask

from tests.factories.tenant_world import TenantWorld


@pytest.fixture
def world(app: Flask) -> TenantWorld:
    """A fresh tenant."""
    del app
    return TenantWorld.create()
