"""A job's results as they arrive, item by item, whatever happens to the connection."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import httpx

from facequeue.connection import no_answer
from facequeue.core import AuthenticatedClient
from facequeue.core.models.item import Item
from facequeue.errors import checked

_CUTS = 5  # in a row, without a new line between them
_PAUSE_S = 1.0


def iterate_results(client: AuthenticatedClient, job_id: UUID | str) -> Iterator[Item]:
    """Yield each item of a job with its result, in the order of the job.

    Goes on where it was after a cut. Items of a job that runs are shown as they are just now.

    Raises:
        ApiError, NotFaceQueue, NoAnswer: as facequeue.errors says.
    """
    for line in iterate_lines(client, job_id):
        yield Item.from_dict(line)


def iterate_lines(
    client: AuthenticatedClient,
    job_id: UUID | str,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[dict[str, Any]]:
    """Do what `iterate_results` does, with the JSON objects as the API sent them."""
    seen = cuts = 0
    while True:
        try:
            for number, line in enumerate(_lines(client, job_id)):
                if number >= seen:  # the rest was yielded before the cut
                    seen, cuts = number + 1, 0
                    yield json.loads(line)
        except httpx.TransportError as error:
            cuts += 1
            if cuts > _CUTS:
                raise no_answer(error) from error
            sleep(_PAUSE_S * cuts)
        else:
            return


def _lines(client: AuthenticatedClient, job_id: UUID | str) -> Iterator[bytes]:
    path = f"/api/v1/jobs/{job_id}/results.jsonl"
    with client.get_httpx_client().stream("GET", path) as response:
        checked(response)
        # Not httpx's own lines: they end at characters that JSON may hold, such as U+2028.
        rest = b""
        for piece in response.iter_bytes():
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines
        if rest:
            raise httpx.RemoteProtocolError("the last line is not whole")
