"""Which way of searching is the fastest for so many faces and probes.

Milliseconds, as they were measured (docs/recognition.md). What counts is their ratio, which is much
the same on another machine; where two ways take equally long, either choice is right.
"""

from __future__ import annotations

from app.models.collection import Collection
from app.services.gallery.strategies.exact_sql import ExactSql
from app.services.gallery.strategies.exact_streamed import ExactStreamed
from app.services.gallery.strategies.strategy import Strategy

# To compare one probe with one dimension of one face: in SQL, and in a product.
_SQL_MS = 1.8e-6
_PRODUCT_MS = 4e-8
# To copy a face: its row, and each of its dimensions.
_COPIED_ROW_MS = 1.2e-3
_COPIED_MS = 6e-6
# To confirm what is proposed for a probe.
_CONFIRMED_MS = 1.1


def choose(collection: Collection, probes: int) -> Strategy:
    """The fastest strategy for a batch of probes."""
    faces, dimensions = collection.face_count, collection.dimensions
    in_sql = probes * faces * dimensions * _SQL_MS
    copied = faces * (_COPIED_ROW_MS + dimensions * _COPIED_MS)
    streamed = copied + probes * (_CONFIRMED_MS + faces * dimensions * _PRODUCT_MS)
    return ExactStreamed() if streamed < in_sql else ExactSql()
