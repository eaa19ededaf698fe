"""Two tenants that know nothing of each other."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.factories.callers import Caller, make_caller
from tests.support.processes import WORKERS, Processes


@pytest.fixture(autouse=True)
def _nobody_works(programs: Processes) -> None:
    """A job stays as the test leaves it, whichever module ran before."""
    for name in filter(programs.alive, WORKERS):
        programs.stop(name)


@pytest.fixture
def api(app: Flask) -> Caller:
    """A tenant's client, with a key that may do everything."""
    return make_caller(app)


@pytest.fixture
def stranger(app: Flask) -> Caller:
    """Another tenant's client, with a key that may do everything there."""
    return make_caller(app)
