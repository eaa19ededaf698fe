"""Images that FaceQueue does not take, set aside so that their neighbours can go on."""

from __future__ import annotations

import re
from typing import NamedTuple

from scripts.importing.failures import Refused
from scripts.importing.ledger import Chunk, Ledger
from scripts.importing.progress import Progress, readable
from scripts.importing.storage import S3Object

_POINTER = re.compile(r"/items/(\d+)(?:/(.+))?")
# The API names 20 images a refusal. This many of them, and nothing taken: more will not help.
_PATIENCE = 50
_NOTES = 10


class _Refusal(NamedTuple):
    image: S3Object
    code: str
    reason: str
    status: int


class SetAside:
    """Tells a fault of some images from one of the whole import.

    A place that is not registered, or an option that does not fit, is refused at each image too.
    So refusals become results only when FaceQueue has taken some other image; an import of which
    it takes nothing is refused, and its files stay free for a corrected one.
    """

    def __init__(self, ledger: Ledger, progress: Progress) -> None:
        self._ledger = ledger
        self._progress = progress
        self._held: list[_Refusal] = []
        self._in_a_row = 0
        self._something_taken = bool(ledger.outcomes)
        self._noted = 0

    def part(self, chunk: Chunk, refusal: Refused) -> list[S3Object]:
        """Sets aside the images that a refusal names; the others of the chunk.

        Raises:
            Refused: it is not about images alone, or about the whole import.
        """
        images = list(chunk.images.values())
        reasons = _by_position(refusal, len(images))
        if not reasons:
            raise refusal
        self._held += [
            _Refusal(images[position], refusal.code, reason, refusal.status)
            for position, reason in reasons.items()
        ]
        self._in_a_row += 1
        if self._something_taken:
            self._write()
        elif self._in_a_row >= _PATIENCE:
            self.end()
        return [image for position, image in enumerate(images) if position not in reasons]

    def taken(self) -> None:
        """FaceQueue has taken a job: what it refuses beside it is a fault of those images."""
        self._something_taken = True
        self._write()

    def end(self) -> None:
        """Raises `Refused` if nothing was taken."""
        if self._held:
            first = self._held[0]
            named = "; ".join(
                f"{readable(held.image.key)}: {held.reason}" for held in self._held[:_NOTES]
            )
            detail = f"none of {len(self._held)} images is taken: {named}"
            raise Refused(first.status, {"code": first.code, "detail": detail})

    def _write(self) -> None:
        for held in self._held:
            self._ledger.refuse(held.image, held.code, held.reason)
            self._noted += 1
            if self._noted <= _NOTES:
                key = readable(held.image.key)
                self._progress.note(f"not taken: {key}: {held.code}: {held.reason}")
        if self._held:
            self._ledger.sync()
            self._held.clear()


def _by_position(refusal: Refused, images: int) -> dict[int, str]:
    """What a refusal says of which item; nothing when it is not about items alone."""
    reasons: dict[int, str] = {}
    for pointer, detail in refusal.reasons:
        found = _POINTER.fullmatch(pointer)
        if found is None or int(found[1]) >= images:
            return {}
        reason = f"{found[2]}: {detail}" if found[2] else detail
        position = int(found[1])
        reasons[position] = f"{reasons[position]}; {reason}" if position in reasons else reason
    return reasons
