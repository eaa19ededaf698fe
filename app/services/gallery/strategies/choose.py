"""Which way of searching is the fastest for so many faces and probes.

Milliseconds, as they were measured (docs/recognition.md). What counts is their ratio, which is much
the same on another machine; where two ways take equally long, either choice is right.
"""

from __future__ import annotations

from uuid import UUID

from app.models.collection import Collection
from app.services.gallery.follow_vectors import kept_copies
from app.services.gallery.strategies.exact_cached import ExactCached
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
# To learn what has changed since a copy was made.
_TAIL_MS = 2.0

# While a copy is made, the transaction of the results stands still, and the server ends one that
# does so for as long as a lease lives, 30 s. On a busy host a copy takes several times as long.
_LONGEST_COPY_MS = 6000

# What searches of a collection took that has no copy, in this process. Once that is what a copy
# takes, one is made: whatever comes, this costs at most twice as much as having known.
_spent_ms: dict[UUID, float] = {}
_MOST_REMEMBERED = 1000


def choose(collection: Collection, probes: int) -> Strategy:
    """The fastest strategy for a batch of probes."""
    faces, dimensions = collection.face_count, collection.dimensions
    in_sql = probes * faces * dimensions * _SQL_MS
    copied = faces * (_COPIED_ROW_MS + dimensions * _COPIED_MS)
    streamed = copied + probes * (_CONFIRMED_MS + faces * dimensions * _PRODUCT_MS)
    other: Strategy = ExactStreamed() if streamed < in_sql else ExactSql()
    kept, least = kept_copies(), min(in_sql, streamed)
    if kept is None or copied > _LONGEST_COPY_MS or not kept.memory.room_for(faces, dimensions):
        return other
    warm = _TAIL_MS + streamed - copied
    if kept.memory.age_s(collection.gallery) is None:
        if len(_spent_ms) >= _MOST_REMEMBERED:
            _spent_ms.clear()
        spent = _spent_ms[collection.id] = _spent_ms.get(collection.id, 0) + least
        return ExactCached(kept, other) if warm < least and spent > copied else other
    _spent_ms.pop(collection.id, None)
    return ExactCached(kept, other) if warm < least else other
