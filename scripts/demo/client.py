"""The calls of the public API that the demo makes beside those of an import."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scripts.importing.client import FaceQueueClient, JobView

NAME_PREFIX = "quickstart: "


class DemoClient(FaceQueueClient):
    """FaceQueue's API, as any client sees it."""

    def fresh_collection(self, title: str) -> str:
        """A new collection; those of earlier runs are erased with their faces."""
        page = self._call("GET", "/collections", params={"limit": 200}).json()
        for collection in page["data"]:
            if collection["name"].startswith(NAME_PREFIX):
                self._call("DELETE", f"/collections/{collection['id']}")
        # Unique: what cannot be listed on one page must not stand in the way.
        return self.create_collection(f"{NAME_PREFIX}{title} {uuid.uuid4().hex[:6]}")

    def collection(self, collection_id: str) -> dict[str, Any]:
        """A collection as the API shows it."""
        return dict(self._call("GET", f"/collections/{collection_id}").json())

    @contextmanager
    def registered(self, url: str) -> Iterator[tuple[str, str]]:
        """A webhook endpoint while the block runs: its id, and its secret."""
        body = {"url": url, "events": ["job.succeeded", "job.failed"], "description": NAME_PREFIX}
        endpoint = self._call("POST", "/webhook-endpoints", json=body).json()
        try:
            yield endpoint["id"], endpoint["secret"]
        finally:
            self._call("DELETE", f"/webhook-endpoints/{endpoint['id']}")

    def start(self, operation: str, **body: Any) -> JobView:
        """Submit a job that nobody submitted before."""
        return self.submit({"operation": operation, **body}, uuid.uuid4().hex)
