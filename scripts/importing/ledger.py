"""What an import has done so far, on disk, so that a killed one goes on where it was.

Two files of JSON lines:

- the results: one line per image, as the API gave it, plus `image` (the address), `image_version`
  (of the object, as it was listed) and `job_id`; an image that was tried again has a later line,
  and the last one counts;
- the state, beside it: which objects went into which job. A chunk is written down before it is
  submitted, so that a run killed between the two submits the same chunk under the same
  Idempotency-Key and gets the same job.
"""

from __future__ import annotations

import fcntl
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from scripts.importing.changes import Changes
from scripts.importing.effects import ELSEWHERE, NO_EFFECT
from scripts.importing.failures import UsageFault
from scripts.importing.holdings import Holdings
from scripts.importing.json_lines import JsonLines
from scripts.importing.plan import Plan, custom_id_of
from scripts.importing.storage import S3Object

# Errors of an image that say nothing about the image.
OUTAGES = frozenset({"storage_unavailable"})
# An image of another person's folder shows the same photograph, and has it now.
TAKEN = "in_two_folders"


@dataclass
class Chunk:
    """The images of one job, and what has come back of them."""

    number: int
    images: dict[str, S3Object]  # custom_id -> object
    job_id: str | None = None
    received: set[str] = field(default_factory=set)  # keys whose result of this job is on disk


class Ledger:
    """The two files of one import, held by one process at a time."""

    def __init__(self, results: Path, plan: Plan) -> None:
        """Opens or makes the files.

        Raises:
            UsageFault: another run holds them, they cannot be written, or belong to another import.
        """
        self.results_path = results
        self.open_chunks: dict[int, Chunk] = {}
        self.outcomes: dict[str, str] = {}  # key -> "succeeded", or its last error's code
        self.holdings = Holdings(plan.subject_of)
        self.changes = Changes()  # of this run
        self._versions: dict[str, str | None] = {}  # key -> what its outcome is about
        self._plan = plan
        self._next_number = 1
        self._state = JsonLines(results.with_name(results.name + ".state"))
        self._results = JsonLines(results, needs=frozenset({"image", "state"}))
        self._lock()
        before = self._load_state()
        self._load_results()
        if before != plan.fingerprint():
            self._begin(before)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._results.close()
        self._state.close()

    def outcome_of(self, image: S3Object) -> str:
        """What came of an image as it is now: empty when nothing yet, or when that has gone."""
        if self.has_changed(image) or self.holdings.is_erased(image.key):
            return ""
        return TAKEN if self.holdings.taker_of(image.key) else self.outcomes.get(image.key, "")

    def has_changed(self, image: S3Object) -> bool:
        """Whether the object was written anew after it was listed for its last outcome."""
        known = self._versions.get(image.key)
        return known is not None and known != image.version

    def missing(self, images: Sequence[S3Object], *, again_if_failed: bool) -> list[S3Object]:
        """The images that still need a job: neither answered nor in one that is under way.

        Tried again unasked is what failed only since a server was away, what can be moved now, and
        what another image had taken that is gone.
        """
        keys = {image.key for image in images}
        passing = OUTAGES | {ELSEWHERE} if self._plan.moves else OUTAGES
        final = {"succeeded"} if again_if_failed else {TAKEN, *self.outcomes.values()} - passing
        under_way = {
            image.key for chunk in self.open_chunks.values() for image in chunk.images.values()
        }
        return [
            image
            for image in images
            if image.key not in under_way
            and (self.outcome_of(image) not in final or self._is_free(image.key, keys))
        ]

    def _is_free(self, key: str, keys: set[str]) -> bool:
        taker = self.holdings.taker_of(key)
        return taker is not None and taker not in keys

    def idempotency_key(self, chunk: Chunk) -> str:
        """The same for every attempt to submit this chunk, and for nothing else.

        It holds the import's own id and not only what is asked for: whoever deletes the files and
        imports the same prefix again means it, and must not be handed yesterday's answers.
        """
        return f"import-{self.import_id}-{chunk.number}"

    def plan_chunk(self, images: Sequence[S3Object]) -> Chunk:
        """Writes down what is about to be submitted."""
        chunk = Chunk(self._next_number, {custom_id_of(image.key): image for image in images})
        keys, versions = [image.key for image in images], [image.version for image in images]
        self._note({"planned": chunk.number, "keys": keys, "versions": versions})
        self._next_number += 1
        self.open_chunks[chunk.number] = chunk
        return chunk

    def submitted(self, chunk: Chunk, job_id: str) -> None:
        """Writes down the job that the API made of a chunk."""
        chunk.job_id = job_id
        self._note({"submitted": chunk.number, "job_id": job_id})

    def record(
        self, chunk: Chunk, line: Mapping[str, Any], effect: Mapping[str, Any] = NO_EFFECT
    ) -> None:
        """Appends one result, unless it is on disk already or the item did not come to its end."""
        image = chunk.images.get(str(line["custom_id"]))
        ended = line["state"] in {"succeeded", "failed"}
        if image is None or image.key in chunk.received or not ended:
            return
        self._append({**line, **effect}, image, chunk.job_id)
        chunk.received.add(image.key)
        self.changes.note(line)

    def refuse(self, image: S3Object, code: str, reason: str) -> None:
        """Appends the result of an image that was in no job, since FaceQueue does not take it."""
        error = {"code": code, "message": reason}
        line = {"custom_id": custom_id_of(image.key), "state": "failed", "error": error}
        self._append(line, image, None)

    def _append(self, line: Mapping[str, Any], image: S3Object, job_id: str | None) -> None:
        address = self._plan.source.address_of(image.key)
        place = {"image": address, "image_version": image.version, "job_id": job_id}
        self._results.append({**line, **place})
        self.outcomes[image.key] = _outcome(line)
        self._versions[image.key] = image.version
        self.holdings.note(image.key, line)

    def sync(self) -> None:
        """Returns when all results are on the disk."""
        self._results.sync()

    def close_chunk(self, chunk: Chunk) -> None:
        """Ends a chunk: its results are on disk, or its job will give no more."""
        self.sync()
        del self.open_chunks[chunk.number]
        self._note({"closed": chunk.number})

    def _note(self, line: Mapping[str, Any]) -> None:
        self._state.append(line)
        self._state.sync()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._state.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageFault(
                f"another run is writing {self.results_path}; wait for it, or use other --results"
            ) from error
        except OSError as error:
            raise UsageFault(
                f"cannot lock {self.results_path}.state ({error.strerror});"
                " keep --results on a disk of this machine"
            ) from error

    def _load_state(self) -> dict[str, Any]:
        """Replays the file; what was asked for then, or nothing if it is new."""
        before: dict[str, Any] = {}
        for line in self._state:
            if "import" in line:
                self.import_id = str(line.pop("import"))
                before = line
            else:
                self._replay(line)
        return before

    def _begin(self, before: Mapping[str, Any]) -> None:
        """Begins an import in files that are new, or in which another came to nothing."""
        now = self._plan.fingerprint()
        if before and (self.open_chunks or self.outcomes):
            changed = [name for name in now if before.get(name) != now[name]]
            what = ", ".join(f"{name} was {before.get(name)}, is {now[name]}" for name in changed)
            raise UsageFault(
                f"{self.results_path} belongs to another import ({what});"
                " choose other --results, or delete that file and its .state"
            )
        self.import_id = str(uuid.uuid4())
        self._note({"import": self.import_id, **now})

    def _replay(self, line: Mapping[str, Any]) -> None:
        match line:
            case {"planned": int(number), "keys": list(keys)}:
                # An older importer noted no versions.
                versions = line.get("versions") or [None] * len(keys)
                images = [
                    S3Object(key, version=version)
                    for key, version in zip(keys, versions, strict=True)
                ]
                self.open_chunks[number] = Chunk(
                    number, {custom_id_of(image.key): image for image in images}
                )
            case {"submitted": int(number), "job_id": job_id}:
                if number in self.open_chunks:
                    self.open_chunks[number].job_id = job_id
            case {"closed": int(number)}:
                self.open_chunks.pop(number, None)
            case _:
                return
        self._next_number = max(self._next_number, number + 1)

    def _load_results(self) -> None:
        under_way = {chunk.job_id: chunk for chunk in self.open_chunks.values() if chunk.job_id}
        bucket = self._plan.source.address_of("")
        for line in self._results:
            key = str(line["image"]).removeprefix(bucket)
            self.outcomes[key] = _outcome(line)
            self._versions[key] = line.get("image_version")
            self.holdings.note(key, line)
            with suppress(KeyError):  # a job that was collected whole before
                under_way[line["job_id"]].received.add(key)


def _outcome(line: Mapping[str, Any]) -> str:
    if line["state"] != "succeeded":
        return str((line.get("error") or {}).get("code", "failed"))
    return ELSEWHERE if line.get("effect") == ELSEWHERE else "succeeded"
