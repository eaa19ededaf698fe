"""Which strategy is taken: SQL for few probes or faces, one copy for many probes of many faces."""

from __future__ import annotations

import pytest

from app.domain.searches import SearchIndex
from app.models.collection import Collection
from app.services.gallery.strategies.choose import choose


@pytest.mark.parametrize(
    ("faces", "probes", "index"),
    [
        (0, 1, SearchIndex.EXACT),
        (0, 256, SearchIndex.EXACT),
        (1000, 72, SearchIndex.EXACT),
        (1_000_000, 1, SearchIndex.EXACT),
        (1_000_000, 4, SearchIndex.EXACT),
        (100_000, 72, SearchIndex.STREAMED),
        (1_000_000, 72, SearchIndex.STREAMED),
    ],
)
@pytest.mark.parametrize("dimensions", [128, 512])
def test_the_cheapest_is_taken(
    faces: int, probes: int, index: SearchIndex, dimensions: int
) -> None:
    collection = Collection(face_count=faces, dimensions=dimensions)

    assert choose(collection, probes).index == index
