"""A plan from a folder of the user's: each sub-folder is a person."""

from __future__ import annotations

from pathlib import Path

from scripts.demo.photos import Photo, Plan
from scripts.stack.failures import StackError

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})

_CAVEAT = (
    "One half of each sub-folder was enrolled, the other half identified; who is expected is what "
    "the sub-folder's name says. Photographs of one session are easier than those of another day."
)


def folder_plan(folder: Path) -> Plan:
    """Enrol every other image of each person, from the first; identify the others and loose ones.

    Raises:
        StackError: there is nobody to enrol, or nothing to identify.
    """
    enrol: list[Photo] = []
    identify: list[Photo] = [_photo(folder, path, None) for path in _images(folder, deep=False)]
    for person in sorted(path for path in folder.iterdir() if path.is_dir()):
        photos = [_photo(folder, path, person.name) for path in _images(person, deep=True)]
        enrol += photos[0::2]
        identify += photos[1::2]
    if not enrol:
        raise StackError(
            f"{folder} has no sub-folder with images ({', '.join(sorted(_SUFFIXES))}). "
            "Make one for each person, called by the person's name."
        )
    if not identify:
        raise StackError(
            f"{folder} has nothing to identify: put a second image into a sub-folder, "
            "or loose images beside them."
        )
    return Plan(folder.name, tuple(enrol), tuple(identify), _CAVEAT)


def _images(folder: Path, *, deep: bool) -> list[Path]:
    found = folder.rglob("*") if deep else folder.iterdir()
    return sorted(p for p in found if p.suffix.lower() in _SUFFIXES and p.is_file())


def _photo(folder: Path, path: Path, person: str | None) -> Photo:
    return Photo(str(path.relative_to(folder)), person, path.read_bytes)
