"""What an import came to, in the end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scripts.importing.effects import ELSEWHERE
from scripts.importing.ledger import OUTAGES, TAKEN, Ledger
from scripts.importing.listing import Listing, told
from scripts.importing.plan import Plan
from scripts.importing.progress import readable

_KEYS_NAMED = 3


@dataclass(frozen=True)
class Summary:
    """All objects of the prefix, whichever run did them: the images, and the others."""

    succeeded: int
    failed: Mapping[str, Sequence[str]]  # error code -> keys
    unanswered: int
    nameless: Sequence[str]  # keys that no folder gives a subject
    passed_over: Counter[str] = field(default_factory=Counter)  # images, by why
    others: Counter[str] = field(default_factory=Counter)  # no images, by what they are
    left_behind: Sequence[str] = ()  # keys that are gone, whose faces are not
    changes: Sequence[str] = ()  # in words

    @property
    def total(self) -> int:
        """The images."""
        failed = sum(len(keys) for keys in self.failed.values())
        left_out = len(self.nameless) + self.passed_over.total()
        return self.succeeded + failed + self.unanswered + left_out

    @property
    def exit_code(self) -> int:
        """0 when every image succeeded, 3 when all others failed by an outage, else 1."""
        if self.succeeded == self.total:
            return 0
        outages = sum(len(keys) for code, keys in self.failed.items() if code in OUTAGES)
        return 3 if outages == self.total - self.succeeded else 1

    def lines(self) -> list[str]:
        """What is printed."""
        lines = [f"{self.succeeded} of {self.total} images succeeded", *self.changes]
        for code, keys in sorted(self.failed.items(), key=lambda entry: -len(entry[1])):
            lines.append(f"  {len(keys)} {_WORDS.get(code, f'failed: {code}')}: {_named(keys)}")
        if self.unanswered:
            lines.append(f"  {self.unanswered} without an answer; run the same command again")
        if self.nameless:
            lines.append(
                f"  {len(self.nameless)} left out, in no folder, so nobody is named for them:"
                f" {_named(self.nameless)}"
            )
        if self.passed_over:
            count, why = self.passed_over.total(), told(self.passed_over)
            lines.append(f"  {count} passed over: {why}; --all submits what is not empty")
        if self.others:
            lines.append(f"{self.others.total()} other objects passed over: {told(self.others)}")
        if self.left_behind:
            lines.append(
                f"{len(self.left_behind)} enrolled before are no longer there:"
                f" {_named(self.left_behind)}; delete their faces (face_id in the results) if they"
                " shall go from the collection too"
            )
        return lines


_WORDS = {
    ELSEWHERE: (
        "changed nothing: enrolled under another person before (enrolled_as and face_id in the"
        " results); run again without --on-conflict keep to move them"
    ),
    TAKEN: (
        "show a photograph that lies in another person's folder too, who has it now; leave it in"
        " one folder and run again"
    ),
    **{code: f"failed: {code}, tried again by the next run" for code in OUTAGES},
}


def summarise(listing: Listing, plan: Plan, ledger: Ledger) -> Summary:
    """The summary of all that was listed, as the ledger has it now."""
    keys: dict[str, list[str]] = defaultdict(list)
    nameless = []
    for image in listing.images:
        if plan.names_nobody(image.key):
            nameless.append(image.key)
        else:
            keys[ledger.outcome_of(image)].append(image.key)
    succeeded, unanswered = keys.pop("succeeded", []), keys.pop("", [])
    return Summary(
        len(succeeded),
        keys,
        len(unanswered),
        nameless,
        listing.images_passed_over,
        listing.others,
        sorted(ledger.holdings.left_behind({image.key for image in listing.images})),
        ledger.changes.lines(),
    )


def _named(keys: Sequence[str]) -> str:
    named = ", ".join(readable(key) for key in keys[:_KEYS_NAMED])
    more = len(keys) - _KEYS_NAMED
    return f"{named} and {more} more" if more > 0 else named
