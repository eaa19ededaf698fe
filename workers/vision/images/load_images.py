"""Fetches and decodes images in threads, a bounded amount ahead of the stages that use them."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition

from app.domain.image_header import ImageHeader, read_image_header
from app.domain.item_errors import (
    ImageTooLarge,
    ItemError,
)
from workers.vision.arrays import Pixels
from workers.vision.images.decode import Decoder
from workers.vision.results import ImageInput
from workers.vision.settings import VisionSettings
from workers.vision.stages import Observe, ignore, timed

_CHANNELS = 3
_PATIENCE_SECONDS = 0.05


@dataclass
class LoadedImage:
    """An image that was fetched: its pixels, or the error that stands in their place.

    Call `release` when the pixels are no longer needed; the loader counts their bytes.
    """

    source: ImageInput
    sha256: str = ""
    pixels: Pixels | None = None
    error: ItemError | None = None
    _budget: ByteBudget | None = field(default=None, repr=False)
    _reserved: int = 0

    def release(self) -> None:
        """Let go of the pixels and give their bytes back. Safe to call twice."""
        self.pixels = None
        if self._budget is not None:
            self._budget.give_back(self._reserved)
            self._budget = None


class ByteBudget:
    """Bytes that may be in use at a time. One request may always pass, however large it is."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._closed = False
        self._changed = Condition()

    def take(self, amount: int) -> None:
        """Wait until `amount` fits, or nothing else is in use, or the budget is closed."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or not self._used or self._used + amount <= self._limit
            )
            self._used += amount

    def give_back(self, amount: int) -> None:
        """Return `amount`."""
        with self._changed:
            self._used -= amount
            self._changed.notify_all()

    def close(self) -> None:
        """Let every waiting thread pass, so that it can end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class ImageLoader:
    """Loads images with `settings.fetch_threads` threads and within `settings.pixel_budget`."""

    def __init__(
        self, settings: VisionSettings, decoder: Decoder, observe: Observe = ignore
    ) -> None:
        self._settings = settings
        self._observe = observe
        self._decode = decoder

    def stream(self, inputs: Iterable[ImageInput]) -> Generator[list[LoadedImage]]:
        """Yield images as they get ready, not in order; an empty list while nothing is.

        `inputs` is read in the caller's thread, a little ahead. The loader goes on only while the
        caller releases images: at an empty list it must release all it holds.
        """
        remaining = iter(inputs)
        budget = ByteBudget(self._settings.pixel_budget)
        with self._threads(budget) as pool:
            running: set[Future[LoadedImage]] = set()
            exhausted = False
            while running or not exhausted:
                while not exhausted and len(running) < 2 * self._settings.fetch_threads:
                    source = next(remaining, None)
                    exhausted = source is None
                    if source is not None:
                        running.add(pool.submit(self._load, source, budget))
                done, running = wait(running, _PATIENCE_SECONDS, return_when=FIRST_COMPLETED)
                yield [future.result() for future in done]

    @contextmanager
    def _threads(self, budget: ByteBudget) -> Iterator[ThreadPoolExecutor]:
        pool = ThreadPoolExecutor(self._settings.fetch_threads, thread_name_prefix="fetch")
        try:
            yield pool
        finally:
            budget.close()
            pool.shutdown(wait=True, cancel_futures=True)

    def _load(self, source: ImageInput, budget: ByteBudget) -> LoadedImage:
        image = LoadedImage(source)
        try:
            with timed(self._observe, "fetch"):
                data = source.load()
            image.sha256 = hashlib.sha256(data).hexdigest()
            header = self._checked_header(data)
            image._reserved = header.width * header.height * _CHANNELS  # noqa: SLF001 - its maker
            budget.take(image._reserved)  # noqa: SLF001 - its maker
            image._budget = budget  # noqa: SLF001 - its maker
            with timed(self._observe, "decode"):
                image.pixels = self._decode(data, header)
        except ItemError as error:
            image.error = error
            image.release()
        return image

    def _checked_header(self, data: bytes) -> ImageHeader:
        if len(data) > self._settings.max_bytes:
            raise ImageTooLarge(
                f"The image has {len(data):,} bytes; at most {self._settings.max_bytes:,} "
                "are accepted"
            )
        return read_image_header(data, max_pixels=self._settings.max_pixels)
