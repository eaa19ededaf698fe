"""The calls of the public API that the demo makes beside those of an import."""

from __future__ import annotations

import uuid
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

    def register_receiver(self, url: str) -> tuple[str, str]:
        """Register a webhook endpoint; its id, and its secret, which is shown this once."""
        body = {"url": url, "events": ["job.succeeded", "job.failed"], "description": NAME_PREFIX}
        endpoint = self._call("POST", "/webhook-endpoints", json=body).json()
        return endpoint["id"], endpoint["secret"]

    def forget_receiver(self, endpoint_id: str) -> None:
        """Delete a webhook endpoint."""
        self._call("DELETE", f"/webhook-endpoints/{endpoint_id}")

    def start(self, operation: str, **body: Any) -> JobView:
        """Submit a job that nobody submitted before."""
        return self.submit({"operation": operation, **body}, uuid.uuid4().hex)
