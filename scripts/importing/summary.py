"""What an import came to, in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from scripts.importing.ledger import Ledger


@dataclass(frozen=True)
class Summary:
    """Counts over all images of the prefix, whichever run did them."""

    total: int
    succeeded: int
    failed: Counter[str]  # error code -> images
    unanswered: int
    nameless: Sequence[str]  # keys that no folder gives a subject

    @property
    def exit_code(self) -> int:
        """0 when every image succeeded, else 1."""
        return 0 if self.succeeded == self.total else 1

    def lines(self) -> list[str]:
        """What is printed."""
        lines = [f"{self.succeeded} of {self.total} images succeeded"]
        lines += [f"  {count} failed: {code}" for code, count in self.failed.most_common()]
        if self.unanswered:
            lines.append(f"  {self.unanswered} without an answer; run the same command again")
        if self.nameless:
            lines.append(
                f"  {len(self.nameless)} left out: in no folder, so nobody is named for them"
                f" (first: {self.nameless[0]})"
            )
        return lines


def summarise(keys: Sequence[str], nameless: Sequence[str], ledger: Ledger) -> Summary:
    """The summary of the submitted keys, and of those left out, as the ledger has them now."""
    outcomes = Counter(ledger.outcomes.get(key, "") for key in keys)
    succeeded = outcomes.pop("succeeded", 0)
    unanswered = outcomes.pop("", 0)
    return Summary(len(keys) + len(nameless), succeeded, outcomes, unanswered, nameless)
