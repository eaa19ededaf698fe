"""What an import has done so far, on disk, so that a killed one goes on where it was.

Two files of JSON lines:

- the results: one line per image, as the API gave it, plus `image` (the address) and `job_id`;
  an image that was tried again has a later line, and the last one counts;
- the state, beside it: which keys went into which job. A chunk is written down before it is
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

from scripts.importing.failures import UsageFault
from scripts.importing.json_lines import JsonLines
from scripts.importing.plan import Plan, custom_id_of


@dataclass
class Chunk:
    """The keys of one job, and what has come back of them."""

    number: int
    keys: dict[str, str]  # custom_id -> key
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
        self._plan = plan
        self._next_number = 1
        self._state = JsonLines(results.with_name(results.name + ".state"))
        self._results = JsonLines(results)
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

    def missing(self, keys: Sequence[str], *, again_if_failed: bool) -> list[str]:
        """The keys that still need a job: neither answered nor in one that is under way."""
        done = {key for chunk in self.open_chunks.values() for key in chunk.keys.values()}
        done.update(
            key
            for key, outcome in self.outcomes.items()
            if outcome == "succeeded" or not again_if_failed
        )
        return [key for key in keys if key not in done]

    def idempotency_key(self, chunk: Chunk) -> str:
        """The same for every attempt to submit this chunk, and for nothing else.

        It holds the import's own id and not only what is asked for: whoever deletes the files and
        imports the same prefix again means it, and must not be handed yesterday's answers.
        """
        return f"import-{self.import_id}-{chunk.number}"

    def plan_chunk(self, keys: Sequence[str]) -> Chunk:
        """Writes down what is about to be submitted."""
        chunk = Chunk(self._next_number, {custom_id_of(key): key for key in keys})
        self._note({"planned": chunk.number, "keys": list(keys)})
        self._next_number += 1
        self.open_chunks[chunk.number] = chunk
        return chunk

    def submitted(self, chunk: Chunk, job_id: str) -> None:
        """Writes down the job that the API made of a chunk."""
        chunk.job_id = job_id
        self._note({"submitted": chunk.number, "job_id": job_id})

    def record(self, chunk: Chunk, line: Mapping[str, Any]) -> None:
        """Appends one result, unless it is on disk already or the item did not come to its end."""
        key = chunk.keys.get(str(line["custom_id"]))
        if key is None or key in chunk.received or line["state"] not in {"succeeded", "failed"}:
            return
        image = self._plan.source.address_of(key)
        self._results.append({**line, "image": image, "job_id": chunk.job_id})
        chunk.received.add(key)
        self.outcomes[key] = _outcome(line)

    def close_chunk(self, chunk: Chunk) -> None:
        """Ends a chunk: its results are on disk, or its job will give no more."""
        self._results.sync()
        del self.open_chunks[chunk.number]
        self._note({"closed": chunk.number})

    def _note(self, line: Mapping[str, Any]) -> None:
        self._state.append(line)
        self._state.sync()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._state.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageFault(
                f"another run is writing {self.results_path}; wait for it, or use other --results"
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
            case {"planned": number, "keys": keys}:
                self.open_chunks[number] = Chunk(number, {custom_id_of(key): key for key in keys})
                self._next_number = number + 1
            case {"submitted": number, "job_id": job_id}:
                self.open_chunks[number].job_id = job_id
            case {"closed": number}:
                self.open_chunks.pop(number, None)

    def _load_results(self) -> None:
        under_way = {chunk.job_id: chunk for chunk in self.open_chunks.values() if chunk.job_id}
        bucket = self._plan.source.address_of("")
        for line in self._results:
            key = str(line["image"]).removeprefix(bucket)
            self.outcomes[key] = _outcome(line)
            with suppress(KeyError):  # a job that was collected whole before
                under_way[line["job_id"]].received.add(key)


def _outcome(line: Mapping[str, Any]) -> str:
    if line["state"] == "succeeded":
        return "succeeded"
    return str((line.get("error") or {}).get("code", "failed"))
