"""Which part of a list is read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Order(StrEnum):
    """By id, which is by the time of making: the newest first, or the oldest."""

    DESC = "desc"
    ASC = "asc"


@dataclass(frozen=True)
class Window:
    """The rows behind that of the id `after`, in an order: up to `limit` and one more."""

    limit: int
    after: UUID | None = None
    order: Order = Order.DESC
