"""Where the demo runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from scripts.demo.photos import Photo
from scripts.stack import object_store
from scripts.stack.environment import BUCKET, HOST, settings_of
from scripts.stack.failures import StackError
from scripts.stack.state import State

_PREFIX = "quickstart/"


@dataclass(frozen=True)
class Place:
    """An API, how a photograph gets to it, and where its webhooks reach us.

    `put` stores a photograph and returns how an item of a job names it.
    """

    url: str
    api_key: str = field(repr=False)
    put: Callable[[Photo], dict[str, Any]]
    receiver_port: int
    receiver_host: str = HOST


def embedded(state: State) -> Place:
    """The stack of this checkout, whose S3 server gets the photographs directly."""
    settings = settings_of(state)
    return Place(
        url=settings["FACEQUEUE_URL"],
        api_key=settings["FACEQUEUE_API_KEY"],
        put=partial(_put, object_store.client(state), state),
        receiver_port=state.ports["receiver"],
    )


def _put(s3: Any, state: State, photo: Photo) -> dict[str, Any]:
    key = _PREFIX + photo.name
    try:
        s3.put_object(Bucket=BUCKET, Key=key, Body=photo.load())
    except (BotoCoreError, ClientError) as error:
        log = state.logs / "s3.log"
        raise StackError(f"The S3 server did not take an image: {error} (see {log})") from error
    return {"image": f"s3://{BUCKET}/{key}"}
