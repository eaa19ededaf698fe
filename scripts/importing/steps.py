"""The steps of an import, from what was typed to the summary."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
from rich.console import Console

from scripts.importing.client import FaceQueueClient
from scripts.importing.failures import UsageFault
from scripts.importing.ledger import Ledger
from scripts.importing.plan import NEEDS_COLLECTION, Plan, chunks
from scripts.importing.progress import shown
from scripts.importing.run import Import
from scripts.importing.source import IMAGE_SUFFIXES, Source, list_images
from scripts.importing.summary import Summary, summarise


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
    results: Path | None
    retry_failed: bool
    webhooks: bool
    api_url: str | None
    api_key: str | None


def run_import(request: Request, console: Console) -> Summary:
    """Runs the import to its end and prints what came of it.

    Raises:
        ImportFault: it cannot start or go on.
    """
    source = Source.parse(request.address)
    plan = make_plan(request, source)
    client = _reached(request)
    if request.collection:
        plan = replace(plan, collection_id=_collection_id(request.collection, request, client))
    keys = _listed(request, source)
    results = request.results or default_results(request.operation, source)
    with Ledger(results, plan) as ledger:
        nameless = set(plan.without_subject(keys))
        wanted = [key for key in keys if key not in nameless]
        missing = ledger.missing(wanted, again_if_failed=request.retry_failed)
        _announce(console, source, keys, missing, ledger)
        with shown(console, len(wanted)) as progress:
            job_loop = Import(client, ledger, plan, progress, max_jobs=request.max_jobs)
            job_loop.run(chunks(missing, request.chunk))
        summary = summarise(wanted, sorted(nameless), ledger)
    for line in [*summary.lines(), f"results: {results}"]:
        console.print(line, markup=False, highlight=False)
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


def _listed(request: Request, source: Source) -> list[str]:
    suffixes = tuple(suffix.lower() for suffix in request.suffixes) or IMAGE_SUFFIXES
    keys = list(list_images(boto3.client("s3"), source, suffixes))
    if not keys:
        raise UsageFault(f"nothing under {source} ends in {', '.join(suffixes)}")
    return keys


def _announce(
    console: Console, source: Source, keys: Sequence[str], missing: Sequence[str], ledger: Ledger
) -> None:
    under_way = sum(len(chunk.keys) for chunk in ledger.open_chunks.values())
    text = f"Images under {source}: {len(keys)}, {len(missing)} to submit"
    if under_way:
        text += f", {under_way} under way since an earlier run"
    console.print(text, markup=False, highlight=False)
