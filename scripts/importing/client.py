"""The few calls of FaceQueue's HTTP API that an import makes."""

from __future__ import annotations

import json
import unicodedata
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema
from urllib3.util import Retry

from scripts.importing.failures import Refused, Silent, Unreachable, UsageFault

_CONNECT_SECONDS = 5
_READ_SECONDS = 60
_POLL_SECONDS = 2.0  # where the API names no Retry-After
# Refusals that the same request may not meet a little later.
_TRY_LATER = frozenset(
    {"rate_limited", "too_many_jobs", "too_many_items_waiting", "idempotency_in_progress"}
)
# A restart of the API or a rate limit is waited out: 1 + 2 + 4 … 30 s, about two minutes in all.
# POSTs may be repeated since each carries an Idempotency-Key.
_RETRY = Retry(
    total=8,
    backoff_factor=0.5,
    backoff_max=30,
    status_forcelist=(429, 502, 503, 504),
    allowed_methods=None,
    raise_on_status=False,
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

    def __init__(self, url: str, key: str, retry: Retry = _RETRY) -> None:
        self._base = url.rstrip("/").removesuffix("/api/v1") + "/api/v1"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {key}"
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))

    def check(self) -> None:
        """Asks for next to nothing, without retries: a wrong URL or key is told at once."""
        with requests.Session() as impatient:
            impatient.headers.update(self._session.headers)
            self._call("GET", "/jobs", session=impatient, params={"limit": "1"})

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

    def subject_name(self, collection_id: str, subject_id: str) -> str | None:
        """The external id of a collection's subject; None when there is no such subject."""
        path = f"/collections/{collection_id}/subjects/{subject_id}"
        try:
            return str(self._call("GET", path).json()["external_id"])
        except Refused as refusal:
            if refusal.status != HTTPStatus.NOT_FOUND:
                raise
            return None

    def submit(self, body: Mapping[str, Any], idempotency_key: str) -> JobView:
        """Submits a job; the same key and body give the same job."""
        headers = {"Idempotency-Key": idempotency_key}
        return _job_view(self._call("POST", "/jobs", json=body, headers=headers))

    def job(self, job_id: str) -> JobView:
        """The job as it is now."""
        return _job_view(self._call("GET", f"/jobs/{job_id}"))

    def results(self, job_id: str) -> Iterator[dict[str, Any]]:
        """The job's results, an item a line, as they arrive."""
        response = self._call("GET", f"/jobs/{job_id}/results.jsonl", stream=True)
        with response:
            try:
                for line in response.iter_lines():
                    if line:
                        yield json.loads(line)
            except requests.RequestException as error:
                raise Unreachable(f"the results of job {job_id} broke off: {error}") from error

    def _call(
        self, method: str, path: str, session: requests.Session | None = None, **arguments: Any
    ) -> requests.Response:
        try:
            response = (session or self._session).request(
                method, self._base + path, timeout=(_CONNECT_SECONDS, _READ_SECONDS), **arguments
            )
        except (MissingSchema, InvalidSchema, InvalidURL) as error:
            raise UsageFault(f"{self._base} is no URL: give --api-url http://HOST:PORT") from error
        except requests.RequestException as error:
            raise Silent(
                f"FaceQueue does not answer at {self._base}: {_root_cause(error)}"
            ) from error
        if not response.ok:
            raise _fault(response)
        if response.headers.get("Content-Type", "").startswith("text/"):
            raise UsageFault(f"what answers at {self._base} is not FaceQueue: is --api-url right?")
        return response


def _composed(name: str) -> str:
    """One name may be written in two ways that look the same; a Mac has the other one."""
    return unicodedata.normalize("NFC", name)


def _is_id(text: str) -> bool:
    """Whether it is written as the API writes ids: a name may be 32 digits too."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _job_view(response: requests.Response) -> JobView:
    body = response.json()
    wait = response.headers.get("Retry-After", "")
    return JobView(
        id=body["id"],
        state=body["state"],
        counts=body["counts"],
        next_look=float(wait) if wait.isdigit() else _POLL_SECONDS,
    )


def _root_cause(error: BaseException) -> str:
    """The innermost reason: the layers of urllib3 around it only repeat the address."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error)


def _fault(response: requests.Response) -> Unreachable | Refused:
    refusal = Refused(response.status_code, _problem(response))
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or refusal.code in _TRY_LATER:
        return Unreachable(str(refusal))
    return refusal


def _problem(response: requests.Response) -> dict[str, Any]:
    try:
        problem = response.json()
    except requests.JSONDecodeError:
        return {"detail": response.reason}
    return problem if isinstance(problem, dict) else {"detail": str(problem)}
