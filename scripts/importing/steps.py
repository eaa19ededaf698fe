"""The steps of an import, from what was typed to the summary."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from scripts.importing.client import FaceQueueClient
from scripts.importing.failures import UsageFault
from scripts.importing.ledger import Ledger
from scripts.importing.listing import Choice, Listing, told
from scripts.importing.plan import NEEDS_COLLECTION, Plan, chunks
from scripts.importing.progress import shown
from scripts.importing.run import Import
from scripts.importing.source import Found, Source, find_source
from scripts.importing.storage import Bucket, S3Object
from scripts.importing.summary import Summary, summarise

_LONGEST_PLACE = 180  # bytes; file systems take 255 for a name, and .jsonl.state is added


@dataclass(frozen=True)
class Request:
    """The command line, as typed."""

    address: str
    operation: str
    collection: str | None
    create_collection: bool
    subject_from: str | None
    options: tuple[str, ...]
    chunk: int
    max_jobs: int
    suffixes: tuple[str, ...]
    take_all: bool
    prefix_as_is: bool
    on_conflict: str | None
    on_changed: str | None
    results: Path | None
    retry_failed: bool
    webhooks: bool
    api_url: str | None
    api_key: str | None


def run_import(request: Request, console: Console) -> Summary:
    """Runs the import to its end and prints what came of it, also when it cannot go on.

    Raises:
        ImportFault: it cannot start or go on.
    """
    plan = make_plan(request, Source.parse(request.address))
    client = _reached(request)
    found, listing = _listed(request, plan.source)
    plan = replace(plan, source=found.source)
    if request.collection:
        plan = replace(plan, collection_id=_collection_id(request.collection, request, client))
    results = request.results or default_results(request.operation, found.source)
    wanted = [image for image in listing.images if not plan.names_nobody(image.key)]
    with Ledger(results, plan) as ledger:
        missing = ledger.missing(wanted, again_if_failed=request.retry_failed)
        _announce(console, [found.note(), _outset(listing, found, missing, ledger)])
        try:
            with shown(console, len(wanted)) as progress:
                job_loop = Import(client, ledger, plan, progress, max_jobs=request.max_jobs)
                job_loop.run(chunks(missing, request.chunk))
                _put_back(ledger, wanted, job_loop, request)
        finally:
            summary = summarise(listing, plan, ledger)
            _announce(console, [*summary.lines(), f"results: {results}"])
    return summary


def make_plan(request: Request, source: Source) -> Plan:
    """What is asked for, with the defaults of its operation; the collection is yet to be found.

    Raises:
        UsageFault: the parts do not fit together.
    """
    needs_collection = request.operation in NEEDS_COLLECTION
    if needs_collection and not request.collection:
        raise UsageFault(f"{request.operation} needs --collection NAME_OR_ID")
    if request.collection and not needs_collection:
        raise UsageFault(f"{request.operation} uses no collection: leave --collection out")
    names_people = request.operation in {"enrol", "verify"}
    from_folder = (request.subject_from or ("folder" if names_people else "none")) == "folder"
    if from_folder and not names_people:
        raise UsageFault(f"--subject-from folder means nothing for {request.operation}")
    if request.operation == "verify" and not from_folder:
        raise UsageFault(
            "verify compares with the person that the folder names: leave it on folder"
        )
    options = dict(parse_option(text) for text in request.options)
    if request.operation == "enrol":
        # What the folders show is what the collection has.
        options.setdefault("on_conflict", request.on_conflict or "move")
        options.setdefault("on_changed", request.on_changed or "replace")
    elif request.on_conflict or request.on_changed:
        raise UsageFault("--on-conflict and --on-changed are for --operation enrol")
    if request.operation == "enrol" and not from_folder:
        options.setdefault("enrol_faces", "all")  # the API's only way to enrol nobody in particular
    return Plan(
        source,
        request.operation,
        subject_from_folder=from_folder,
        options=options,
        tell_webhooks=request.webhooks,
    )


def parse_option(text: str) -> tuple[str, Any]:
    """Reads `name=value`; the value is JSON, or a plain word.

    Raises:
        UsageFault: there is no `=`.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageFault(f"--option {text!r}: write NAME=VALUE, for example max_faces=3")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def default_results(operation: str, source: Source) -> Path:
    """The results file of an import that names none: in this folder, called after the import."""
    place = f"{source.bucket}/{source.prefix}".strip("/").replace("/", "-")
    if not place.isprintable() or len(place.encode()) > _LONGEST_PLACE:
        place = f"{source.bucket}-{hashlib.sha256(source.prefix.encode()).hexdigest()[:32]}"
    return Path(f"{operation}-{place}.jsonl")


def _reached(request: Request) -> FaceQueueClient:
    if not request.api_url or not request.api_key:
        raise UsageFault(
            "where is FaceQueue? Set FACEQUEUE_URL and FACEQUEUE_API_KEY"
            " (after the quickstart: source .facequeue/env), or give --api-url and --api-key"
        )
    client = FaceQueueClient(request.api_url, request.api_key)
    client.check()
    return client


def _collection_id(name_or_id: str, request: Request, client: FaceQueueClient) -> str:
    found = client.find_collection(name_or_id)
    if found is not None:
        return found
    if not request.create_collection:
        raise UsageFault(f"there is no collection {name_or_id!r}; --create-collection makes it")
    return client.create_collection(name_or_id)


def _listed(request: Request, typed: Source) -> tuple[Found, Listing]:
    if request.take_all and request.suffixes:
        raise UsageFault("--all takes every suffix: leave --suffix out")
    bucket = Bucket(typed.bucket)
    found = Found(typed) if request.prefix_as_is else find_source(bucket, typed)
    source = found.source
    choice = Choice(request.suffixes, request.take_all)
    listing = choice.sort(
        entry
        for entry in bucket.objects(source.prefix)
        if not source.is_object or entry.key == source.prefix
    )
    if listing.looks_empty:
        others = f"; there are only others: {told(listing.others)}" if listing.others else ""
        raise UsageFault(f"nothing under {source} ends in {', '.join(choice.wanted)}{others}")
    return found, listing


def _put_back(
    ledger: Ledger, wanted: Sequence[S3Object], job_loop: Import, request: Request
) -> None:
    """Submits again what lost its faces to a changed object, from which they had come first.

    Photographs that were renamed by one place each do so one after the other.
    """
    before: list[S3Object] = []
    while (lost := [image for image in wanted if ledger.holdings.is_erased(image.key)]) != before:
        job_loop.run(chunks(lost, request.chunk))
        before = lost


def _outset(listing: Listing, found: Found, missing: Sequence[S3Object], ledger: Ledger) -> str:
    text = f"Images under {found.source}: {len(listing.images)}, {len(missing)} to submit"
    if changed := sum(ledger.has_changed(image) for image in missing):
        text += f" ({changed} changed since their result)"
    if under_way := sum(len(chunk.images) for chunk in ledger.open_chunks.values()):
        text += f", {under_way} under way since an earlier run"
    return text


def _announce(console: Console, lines: Sequence[str | None]) -> None:
    for line in lines:
        if line:
            console.print(line, markup=False, highlight=False)
