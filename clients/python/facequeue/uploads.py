"""A folder of images, uploaded side by side and only once."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from facequeue.connection import call
from facequeue.core import AuthenticatedClient
from facequeue.errors import Invalid
from facequeue.upload_ledger import UploadLedger

IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp"),
    *(".heic", ".heif", ".hif", ".avif", ".tif", ".tiff", ".bmp", ".gif"),
)
LEDGER_NAME = ".facequeue-uploads.jsonl"


@dataclass
class FolderUpload:
    """What became of a folder's images: the id of each that was taken, why others were not."""

    images: dict[Path, UUID] = field(default_factory=dict)
    failed: dict[Path, Invalid] = field(default_factory=dict)


def upload_folder(
    client: AuthenticatedClient,
    folder: Path | str,
    *,
    suffixes: Iterable[str] = IMAGE_SUFFIXES,
    workers: int = 4,
    progress: Callable[[int, int, Path], None] | None = None,
    ledger: Path | None = None,
) -> FolderUpload:
    """Upload the images of a folder and of those within it, each content once.

    What was uploaded is kept in a file by its digest: called again, also after a crash, it uploads
    what is missing, new or about to be removed by the service. Delete that file, and all are
    uploaded anew.

    Args:
        client: of `connect`.
        folder: where the images are.
        suffixes: of the files to take.
        workers: how many are uploaded at a time.
        progress: told after each file, in this thread: how many are done, of how many, and which.
        ledger: the file that remembers; `.facequeue-uploads.jsonl` in the folder as it is.

    Returns:
        FolderUpload: the images' ids by path, and the files that the API refused.

    Raises:
        ApiError, NotFaceQueue, NoAnswer: as facequeue.errors says; the ledger keeps what was done.
        OSError: a file cannot be read, or the ledger not be written.
    """
    root = Path(folder)
    wanted = {suffix.lower() for suffix in suffixes}
    files = sorted(
        path for path in root.rglob("*") if path.suffix.lower() in wanted and path.is_file()
    )
    outcome = FolderUpload()
    with (
        UploadLedger(client, ledger or root / LEDGER_NAME) as known,
        ThreadPoolExecutor(workers) as pool,
    ):
        under_way = {pool.submit(_upload, client, path, known): path for path in files}
        try:
            for done, future in enumerate(as_completed(under_way), 1):
                path = under_way[future]
                _note(future, path, known, outcome)
                if progress:
                    progress(done, len(files), path)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return outcome


def _note(
    future: Future[tuple[str, UUID]], path: Path, known: UploadLedger, outcome: FolderUpload
) -> None:
    try:
        digest, image_id = future.result()
    except Invalid as refusal:
        outcome.failed[path] = refusal
    else:
        known.add(digest, image_id)
        outcome.images[path] = image_id


def _upload(client: AuthenticatedClient, path: Path, known: UploadLedger) -> tuple[str, UUID]:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if image_id := known.find(digest):
        return digest, image_id
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    response = call(
        client,
        "POST",
        "/images",
        # The name stays here: it may be a person's.
        files={"file": ("image", content, kind)},
        headers={"Idempotency-Key": known.idempotency_key(digest)},
    )
    return digest, UUID(response.json()["id"])
