"""The recognition pipeline: a stream of images in, lists of results out."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from app.domain.item_errors import ItemError
from app.domain.model_registry import PREPROCESSING_VERSION
from workers.vision.arrays import Floats, Pixels
from workers.vision.faces.align import align
from workers.vision.faces.detect import Detections
from workers.vision.faces.find_faces import find_faces
from workers.vision.faces.liveness import FaceViews
from workers.vision.faces.quality import face_quality
from workers.vision.images.load_images import ImageLoader, LoadedImage
from workers.vision.load_model import LoadedModel, load_model
from workers.vision.results import (
    Box,
    FaceResult,
    ImageInput,
    ImageResult,
    LivenessResult,
    PipelineOptions,
)
from workers.vision.settings import VisionSettings
from workers.vision.stages import Observe, ignore, timed

__all__ = [
    "Box",
    "FaceResult",
    "ImageInput",
    "ImageResult",
    "LivenessResult",
    "PipelineOptions",
    "RecognitionPipeline",
    "VisionSettings",
    "build_pipeline",
]


@dataclass(frozen=True)
class _Unembedded:
    """An image's result, and what its faces still lack.

    `crops` are the aligned ones of those to be embedded, `views` what liveness is judged by,
    `looks` and `attributes` what is to be estimated of them.
    """

    result: ImageResult
    crops: dict[int, Pixels]
    views: Sequence[FaceViews]
    looks: Sequence[Pixels] = ()
    attributes: tuple[str, ...] = ()


class RecognitionPipeline:
    """Runs images through detection, alignment, quality, liveness and embedding.

    Not safe for use from several threads at a time: a worker process has one.
    """

    def __init__(
        self, settings: VisionSettings, model: LoadedModel, observe: Observe = ignore
    ) -> None:
        self._settings = settings
        self._loaded = model
        self._observe = observe
        self._loader = ImageLoader(settings, model.decoder, observe)

    @property
    def model(self) -> str:
        """The model's identity, `name@digest`."""
        return self._loaded.entry.identity

    @property
    def dimensions(self) -> int:
        """Length of an embedding."""
        return self._loaded.entry.dimensions

    @property
    def engine(self) -> str:
        """What runs the networks and in which precision, such as "onnxruntime fp32"."""
        return self._loaded.engine

    @property
    def version(self) -> str:
        """Of what is done around the networks: raised when the same picture gives other results."""
        return str(PREPROCESSING_VERSION)

    @property
    def engine_reason(self) -> str:
        """Why this engine was chosen, in words, for the log of the worker's start."""
        return self._loaded.engine_reason

    def run(self, inputs: Iterable[ImageInput]) -> Generator[list[ImageResult], None, None]:
        """Yield results in lists of up to `batch_size`, in the order in which they are ready.

        An image that cannot be used is a result with an `error`. `inputs` is read a little ahead,
        in the caller's thread, so that it may be endless. Close the iterator to stop early.

        Raises:
            Exception: whatever `load` raises that is no ItemError, after which the run is over.
        """
        pending: list[LoadedImage] = []
        batch: list[_Unembedded] = []
        with closing(self._loader.stream(inputs)) as arrivals:
            for ready in arrivals:
                pending += ready
                if not ready or len(pending) >= self._loaded.picture_batch:
                    batch += self._find(pending)
                    pending = []
                while len(batch) >= self._settings.batch_size:
                    yield self._embed(batch[: self._settings.batch_size])
                    del batch[: self._settings.batch_size]
        batch += self._find(pending)
        if batch:
            yield self._embed(batch)

    def _find(self, images: Sequence[LoadedImage]) -> list[_Unembedded]:
        """Find and cut out the faces of several images at once, and let their pixels go."""
        pictures = [(image, image.pixels) for image in images if image.pixels is not None]
        began = time.perf_counter()
        with timed(self._observe if pictures else ignore, "detect"):
            found = find_faces(
                self._loaded.detector,
                [pixels for _, pixels in pictures],
                [image.source.options for image, _ in pictures],
            )
        share = (time.perf_counter() - began) / max(len(pictures), 1)
        results = [_failed(image, image.error) for image in images if image.error is not None]
        for (image, pixels), faces in zip(pictures, found, strict=True):
            try:
                cut_out = self._cut_out(image, pixels, faces)
            except ItemError as error:
                cut_out = _failed(image, error)
            results.append(_with_time(cut_out, share))
        for image in images:
            image.release()
        return results

    def _cut_out(self, image: LoadedImage, pixels: Pixels, faces: Detections) -> _Unembedded:
        options = image.source.options
        views = self._loaded.liveness.cut_out(pixels, faces) if options.liveness else ()
        asked = options.attributes
        looks = self._loaded.attributes.cut_out(pixels, faces, asked) if asked else ()
        crops: dict[int, Pixels] = {}
        results = []
        for number in range(len(faces)):
            landmarks, score = faces.landmarks[number], float(faces.scores[number])
            crop = align(pixels, landmarks)
            quality = face_quality(crop, landmarks, score)
            if options.embed and quality >= options.min_quality:
                crops[number] = crop
            box = _box(faces.boxes[number], pixels)
            results.append(FaceResult(number, box, landmarks, score, quality, None, None))
        height, width = pixels.shape[:2]
        result = ImageResult(image.source.key, image.sha256, width, height, tuple(results), None)
        return _Unembedded(result, crops, views, looks, asked)

    def _embed(self, batch: Sequence[_Unembedded]) -> list[ImageResult]:
        """Judge and embed the faces of all images of the batch together.

        A face that is not live is not embedded: what has no embedding can neither be enrolled nor
        match anybody.
        """
        began = time.perf_counter()
        views = list(chain.from_iterable(item.views for item in batch))
        judged = iter(self._loaded.liveness.assess(views))
        batch = [self._with_attributes(_with_liveness(item, judged)) for item in batch]
        crops = list(chain.from_iterable(item.crops.values() for item in batch))
        with timed(self._observe if crops else ignore, "embed"):
            vectors = iter(self._loaded.recogniser.embed(crops))
        faces = sum(len(item.result.faces) for item in batch)
        a_face = (time.perf_counter() - began) / max(faces, 1)
        timed_batch = [_with_time(item, a_face * len(item.result.faces)) for item in batch]
        return [_with_vectors(item, vectors) for item in timed_batch]

    def _with_attributes(self, item: _Unembedded) -> _Unembedded:
        if not item.attributes:
            return item
        estimates = self._loaded.attributes.estimate(item.looks, item.attributes)
        faces = tuple(
            replace(face, attributes=estimate)
            for face, estimate in zip(item.result.faces, estimates, strict=True)
        )
        return replace(item, result=replace(item.result, faces=faces))


def _with_time(item: _Unembedded, seconds: float) -> _Unembedded:
    spent = item.result.inference_s + seconds
    return replace(item, result=replace(item.result, inference_s=spent))


def _with_liveness(item: _Unembedded, judged: Iterator[LivenessResult]) -> _Unembedded:
    if not item.views:
        return item
    faces = tuple(replace(face, liveness=next(judged)) for face in item.result.faces)
    live = {face.face_no for face in faces if face.liveness is not None and face.liveness.live}
    crops = {number: crop for number, crop in item.crops.items() if number in live}
    return replace(item, result=replace(item.result, faces=faces), crops=crops)


def _with_vectors(item: _Unembedded, vectors: Iterator[Floats]) -> ImageResult:
    faces = tuple(
        replace(face, embedding=next(vectors)) if face.face_no in item.crops else face
        for face in item.result.faces
    )
    return replace(item.result, faces=faces)


def _failed(image: LoadedImage, error: ItemError) -> _Unembedded:
    return _Unembedded(ImageResult(image.source.key, image.sha256, 0, 0, (), error), {}, ())


def _box(box: Floats, picture: Pixels) -> Box:
    """Round a box and cut it at the picture's edge; it keeps at least one pixel."""
    height, width = picture.shape[:2]
    left, top = np.clip(np.floor(box[:2]), 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(np.ceil(box[:2] + box[2:]), [left + 1, top + 1], [width, height])
    return Box(int(left), int(top), int(right - left), int(bottom - top))


def build_pipeline(settings: VisionSettings, observe: Observe = ignore) -> RecognitionPipeline:
    """Load the configured model's verified weights, run its self test, and return the pipeline.

    Raises:
        ModelError: the model is unknown, not installed, not the registered file, refused for its
            licence, or does not compute what it should; the message says what to do.
    """
    return RecognitionPipeline(settings, load_model(settings), observe)
