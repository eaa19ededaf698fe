"""Use case: an operator sees whether the read replica answers, and how far it is behind."""

from __future__ import annotations

from app.database.replica import Fitness, current_replica

__all__ = ["Fitness", "replica_fitness"]


def replica_fitness() -> Fitness | None:
    """Look at the replica; None where there is none."""
    replica = current_replica()
    return replica.fitness(now=True) if replica else None
