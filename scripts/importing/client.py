"""The few calls of FaceQueue's HTTP API that an import makes."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx

from facequeue import (
    ApiError,
    AuthenticatedClient,
    NoAnswer,
    NotFaceQueue,
    Patience,
    call,
    connect,
    iterate_lines,
)
from scripts.importing.failures import Refused, Silent, Unreachable, UsageFault

_POLL_SECONDS = 2.0  # where the API names no Retry-After
# Refusals that the same request may not meet a little later.
_TRY_LATER = frozenset(
    {"rate_limited", "too_many_jobs", "too_many_items_waiting", "idempotency_in_progress"}
)


@dataclass(frozen=True)
class JobView:
    """A job as the API shows it. `next_look` is how many seconds the API asks us to wait."""

    id: str
    state: str
    counts: Mapping[str, int]
    next_look: float

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in {"succeeded", "failed", "canceled", "expired"}

    @property
    def closed_items(self) -> int:
        """Images that have their answer."""
        return sum(self.counts.get(name, 0) for name in ("succeeded", "failed", "canceled"))


class FaceQueueClient:
    """FaceQueue's API behind one URL and key.

    Every call raises `Silent` when the API does not answer after all retries, `Unreachable` when it
    cannot serve, `Refused` when it answers with a problem, and `UsageFault` when the URL is none or
    another site's.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        patience: Patience | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._base = url.rstrip("/").removesuffix("/api/v1") + "/api/v1"
        try:
            self._client = connect(url, key, patience=patience, transport=transport)
            self._impatient = connect(url, key, patience=Patience(retries=0), transport=transport)
        except ValueError as error:
            raise UsageFault(f"{self._base} is no URL: give --api-url http://HOST:PORT") from error

    def check(self) -> None:
        """Asks for next to nothing, without retries: a wrong URL or key is told at once."""
        self._call("GET", "/jobs", client=self._impatient, params={"limit": "1"})

    def find_collection(self, name_or_id: str) -> str | None:
        """The id of the collection with this id or name; None when no name fits."""
        if _is_id(name_or_id):
            return str(self._call("GET", f"/collections/{name_or_id}").json()["id"])
        cursor: str | None = ""
        while cursor is not None:
            query = {"limit": "200", **({"cursor": cursor} if cursor else {})}
            page = self._call("GET", "/collections", params=query).json()
            for collection in page["data"]:
                if _composed(collection["name"]) == _composed(name_or_id):
                    return str(collection["id"])
            cursor = page["next_cursor"]
        return None

    def create_collection(self, name: str) -> str:
        """Makes a collection with the service's default model; its id."""
        response = self._call("POST", "/collections", json={"name": name})
        return str(response.json()["id"])

    def submit(self, body: Mapping[str, Any], idempotency_key: str) -> JobView:
        """Submits a job; the same key and body give the same job."""
        headers = {"Idempotency-Key": idempotency_key}
        return _job_view(self._call("POST", "/jobs", json=body, headers=headers))

    def job(self, job_id: str) -> JobView:
        """The job as it is now."""
        return _job_view(self._call("GET", f"/jobs/{job_id}"))

    def results(self, job_id: str) -> Iterator[dict[str, Any]]:
        """The job's results, an item a line, as they arrive."""
        with self._faults(results_of=job_id):
            yield from iterate_lines(self._client, job_id)

    def _call(
        self, method: str, path: str, client: AuthenticatedClient | None = None, **arguments: Any
    ) -> httpx.Response:
        if method == "POST":  # whatever it makes, a cut does not make it twice
            arguments.setdefault("headers", {"Idempotency-Key": uuid.uuid4().hex})
        with self._faults():
            return call(client or self._client, method, path, **arguments)

    @contextmanager
    def _faults(self, results_of: str | None = None) -> Iterator[None]:
        try:
            yield
        except NotFaceQueue as error:
            raise UsageFault(
                f"what answers at {self._base} is not FaceQueue: is --api-url right?"
            ) from error
        except ApiError as error:
            raise _fault(error) from error
        except NoAnswer as error:
            cause = error.__cause__
            if results_of and not isinstance(cause, (httpx.ConnectError, httpx.ConnectTimeout)):
                text = f"the results of job {results_of} broke off: {cause}"
                raise Unreachable(text) from error
            raise Silent(f"FaceQueue does not answer at {self._base}: {cause}") from error


def _composed(name: str) -> str:
    """One name may be written in two ways that look the same; a Mac has the other one."""
    return unicodedata.normalize("NFC", name)


def _is_id(text: str) -> bool:
    """Whether it is written as the API writes ids: a name may be 32 digits too."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _job_view(response: httpx.Response) -> JobView:
    body = response.json()
    wait = response.headers.get("Retry-After", "")
    return JobView(
        id=body["id"],
        state=body["state"],
        counts=body["counts"],
        next_look=float(wait) if wait.isdigit() else _POLL_SECONDS,
    )


def _fault(error: ApiError) -> Unreachable | Refused:
    refusal = Refused(error.status, error.problem)
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR or refusal.code in _TRY_LATER:
        return Unreachable(str(refusal))
    return refusal
