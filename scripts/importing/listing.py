"""What lies under a prefix: the images to submit, and what is passed over, by why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.domain.image_header import IMAGE_SUFFIXES
from scripts.importing.storage import S3Object

# Pictures that FaceQueue does not read, or that nothing but their content could tell.
_NO_SUFFIX = "without a suffix"
_LIKELY_IMAGES = frozenset(
    {".jxl", ".jp2", ".psd", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", _NO_SUFFIX}
)
_SUFFIX = re.compile(r"\.\w{1,10}$", re.ASCII)
_KINDS_NAMED = 5


@dataclass
class Listing:
    """The objects of a prefix. Together, the parts are all of them."""

    images: list[S3Object] = field(default_factory=list)
    images_passed_over: Counter[str] = field(default_factory=Counter)  # why -> objects
    others: Counter[str] = field(default_factory=Counter)

    @property
    def looks_empty(self) -> bool:
        """Whether nothing in it is an image, or seems to be one."""
        return not self.images and not self.images_passed_over


@dataclass(frozen=True)
class Choice:
    """Which objects are submitted: those with a suffix, or all that hold anything."""

    suffixes: tuple[str, ...] = ()
    everything: bool = False

    def sort(self, objects: Iterable[S3Object]) -> Listing:
        """Parts the objects into those to submit and the others."""
        listing = Listing()
        for found in objects:
            suffix = suffix_of(found.key)
            if not found.size:
                self._pass_over_empty(listing, found.key, suffix)
            elif self.everything or found.key.lower().endswith(self.wanted):
                listing.images.append(found)
            elif not self.suffixes and suffix in _LIKELY_IMAGES:
                listing.images_passed_over[suffix] += 1
            else:
                listing.others[suffix] += 1
        return listing

    @property
    def wanted(self) -> tuple[str, ...]:
        """How keys end that are submitted."""
        return tuple(suffix.lower() for suffix in self.suffixes) or IMAGE_SUFFIXES

    def _pass_over_empty(self, listing: Listing, key: str, suffix: str) -> None:
        if key.endswith("/"):
            listing.others["folder marker"] += 1
        elif key.lower().endswith(self.wanted) or suffix in _LIKELY_IMAGES - {_NO_SUFFIX}:
            listing.images_passed_over[f"empty {suffix}"] += 1
        else:
            listing.others["empty"] += 1


def suffix_of(key: str) -> str:
    """The suffix in lower case, as a reader would name it."""
    found = _SUFFIX.search(key)
    return found[0].lower() if found else _NO_SUFFIX


def told(kinds: Counter[str]) -> str:
    """The commonest kinds with their counts."""
    named = [f"{count} {kind}" for kind, count in kinds.most_common(_KINDS_NAMED)]
    rest = kinds.total() - sum(count for _, count in kinds.most_common(_KINDS_NAMED))
    return ", ".join([*named, f"{rest} of other kinds"] if rest else named)
