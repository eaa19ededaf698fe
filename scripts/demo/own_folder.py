"""A plan from a folder of the user's: each sub-folder is a person."""

from __future__ import annotations

import os
from pathlib import Path

from app.domain.image_header import IMAGE_SUFFIXES
from scripts.demo.photos import Photo, Plan
from scripts.importing.plan import custom_id_of
from scripts.stack.failures import StackError

_CAVEAT = (
    "One half of each sub-folder was enrolled, the other half identified; who is expected is what "
    "the sub-folder's name says. Photographs of one session are easier than those of another day."
)


def folder_plan(folder: Path) -> Plan:
    """Enrol every other image of each person, from the first; identify the others and loose ones.

    Hidden files and folders are left alone: they are thumbnails and other programs' notes.

    Raises:
        StackError: there is nobody to enrol, or nothing to identify.
    """
    enrol: list[Photo] = []
    identify = [_photo(folder, path, None) for path in _images(folder, "*")]
    for person in sorted(path for path in folder.glob("[!.]*") if path.is_dir()):
        name = _words(Path(person.name))
        photos = [_photo(folder, path, name) for path in _images(person, "**/*")]
        enrol += photos[0::2]
        identify += photos[1::2]
    if not enrol:
        raise StackError(
            f"{folder} has no sub-folder with images ({', '.join(IMAGE_SUFFIXES)}). "
            "Make one for each person, called by the person's name."
        )
    if not identify:
        raise StackError(
            f"{folder} has nothing to identify: put a second image into a sub-folder, "
            "or loose images beside them."
        )
    return Plan(_words(Path(folder.name))[-100:], tuple(enrol), tuple(identify), _CAVEAT)


def _images(folder: Path, pattern: str) -> list[Path]:
    return sorted(
        path
        for path in folder.glob(pattern)
        if path.suffix.lower() in IMAGE_SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )


def _photo(folder: Path, path: Path, person: str | None) -> Photo:
    return Photo(_words(path.relative_to(folder)), person, path.read_bytes)


def _words(path: Path) -> str:
    """A name that the API takes: file names may be longer, and need not be UTF-8."""
    return custom_id_of(os.fsencode(path).decode(errors="backslashreplace"))
