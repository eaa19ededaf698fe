"""Which place in S3 an import is about, and what of it is taken.

A key is a string of bytes and nothing else: slashes that are doubled or lead, dots, percent signs
and spaces are parts of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from scripts.importing.failures import UsageFault
from scripts.importing.storage import Bucket

_SCHEME = "s3://"
_NEIGHBOURS_NAMED = 3


@dataclass(frozen=True)
class Source:
    """A bucket and a prefix in it; an empty prefix means the whole bucket."""

    bucket: str
    prefix: str = ""
    is_object: bool = False  # the prefix is the whole key of one object

    @classmethod
    def parse(cls, address: str) -> Source:
        """Reads `s3://bucket/prefix`.

        Raises:
            UsageFault: the address is not of that form.
        """
        bucket, _, prefix = address.removeprefix(_SCHEME).partition("/")
        if not address.startswith(_SCHEME) or not bucket:
            raise UsageFault(f"{address!r} is not an S3 address; write s3://bucket/prefix")
        return cls(bucket, prefix)

    def __str__(self) -> str:
        return self.address_of(self.prefix)

    @property
    def folder(self) -> str:
        """The prefix up to its last slash: where the names of folders begin."""
        return self.prefix[: self.prefix.rfind("/") + 1]

    def address_of(self, key: str) -> str:
        """The `s3://` address of an object of this bucket."""
        return f"{_SCHEME}{self.bucket}/{key}"


@dataclass(frozen=True)
class Found:
    """What an address means in its bucket, and what begins like it but is not meant."""

    source: Source
    neighbours: tuple[str, ...] = ()

    def note(self) -> str | None:
        """What the reader should know of the neighbours."""
        if not self.neighbours:
            return None
        named = ", ".join(self.neighbours[:_NEIGHBOURS_NAMED])
        more = len(self.neighbours) - _NEIGHBOURS_NAMED
        also = f" and {more} more" if more > 0 else ""
        return (
            f"Only {self.source} is taken; {named}{also} begin like it"
            " and are taken too with --prefix-as-is"
        )


def find_source(bucket: Bucket, typed: Source) -> Found:
    """The folder that a prefix without a slash at its end names, or else the object.

    Raises:
        UsageFault: it names neither.
        Unreachable: the S3 server does not answer.
    """
    if not typed.prefix or typed.prefix.endswith("/"):
        return Found(typed)
    folder = typed.prefix + "/"
    alike = bucket.children(typed.prefix)
    if folder in alike:
        source = replace(typed, prefix=folder)
    elif typed.prefix in alike:
        source = replace(typed, is_object=True)
    else:
        raise UsageFault(_nothing(typed, alike))
    return Found(source, tuple(name for name in alike if name != source.prefix))


def _nothing(typed: Source, alike: list[str]) -> str:
    text = f"there is no folder and no object {typed}"
    if not alike:
        return text
    return f"{text}, but {alike[0]} and others begin so: --prefix-as-is takes all that do"
