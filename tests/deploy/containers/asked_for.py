"""When the tests of this folder run, and beside which others."""

from __future__ import annotations

import os

import pytest

from tests.deploy.containers import engine, images, stand_ins
from tests.deploy.programs import needs

ASKED_FOR = [
    # Beside other work the images take five minutes, and the rest as long.
    pytest.mark.skipif(
        "FACEQUEUE_TEST_CONTAINERS" not in os.environ,
        reason="asked for with FACEQUEUE_TEST_CONTAINERS=1",
    ),
    needs(*engine.PROGRAMS, *images.PROGRAMS, *stand_ins.PROGRAMS),
    pytest.mark.xdist_group("containers"),
    pytest.mark.slow,
    pytest.mark.timeout(1800),  # the first of them makes the images
]
