from __future__ import annotations

import pytest

from app.metrics.requests import _WAIT

LONGEST_OVERRUN_S = 1


@pytest.mark.parametrize("asked", [5, 10, 20, 30, 60])
def test_a_wait_to_its_end_is_not_told_as_a_longer_one(asked: int) -> None:
    """A quantile lies somewhere in its bucket: one of 10 s to 30 s makes 29 s of a wait of 10."""
    bounds = _WAIT._kwargs["buckets"]

    assert any(asked < bound <= asked + LONGEST_OVERRUN_S for bound in bounds)
