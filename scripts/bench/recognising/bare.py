"""The stages of recognition in a plain loop: what the pipeline is held against."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from app.domain.image_header import read_image_header
from scripts.bench.pictures import Picture
from workers.vision.align import align
from workers.vision.arrays import Pixels
from workers.vision.decode import decode_in_process
from workers.vision.detect import Detections
from workers.vision.find_faces import find_faces
from workers.vision.models import LoadedModel
from workers.vision.quality import face_quality
from workers.vision.reduced import has_enough_pixels, in_reduced, reduction_for
from workers.vision.results import PipelineOptions, Rotation

_BATCH = 32  # pictures whose faces are embedded together, as in the pipeline


def options_of(picture: Picture, rotation: Rotation) -> PipelineOptions:
    """How both the bare loop and the pipeline look at a picture."""
    return PipelineOptions(min_face=picture.min_face, rotation=rotation)


class Bare:
    """The stage functions, one after the other, in this thread; each timed."""

    def __init__(self, model: LoadedModel) -> None:
        self._model = model
        self.seconds: dict[str, float] = defaultdict(float)

    def run(self, pictures: Sequence[Picture], rotation: Rotation) -> int:
        """Recognise the faces of the pictures; return how many there were."""
        found = 0
        for start in range(0, len(pictures), _BATCH):
            batch = pictures[start : start + _BATCH]
            crops = [crop for picture in batch for crop in self._crops(picture, rotation)]
            with self._timed("embed"):
                self._model.recogniser.embed(crops)
            found += len(crops)
        return found

    def _crops(self, picture: Picture, rotation: Rotation) -> list[Pixels]:
        with self._timed("decode"):
            header = read_image_header(picture.data)
            reduction = reduction_for(header, picture.min_face)
            pixels = decode_in_process(picture.data, header, reduction)
        with self._timed("detect"):
            faces = self._find(pixels, picture.min_face // reduction, rotation)
        if reduction > 1 and not has_enough_pixels(faces):
            with self._timed("decode"):
                pixels, reduction = decode_in_process(picture.data, header), 1
            with self._timed("detect"):
                faces = self._find(pixels, picture.min_face, rotation)
        faces = faces.mapped(reduction)
        with self._timed("align"):
            crops = [align(pixels, in_reduced(points, reduction)) for points in faces.landmarks]
        with self._timed("quality"):
            for crop, points, score in zip(crops, faces.landmarks, faces.scores, strict=True):
                face_quality(crop, points, float(score))
        return crops

    def _find(self, pixels: Pixels, min_face: int, rotation: Rotation) -> Detections:
        options = PipelineOptions(min_face=min_face, rotation=rotation)
        return find_faces(self._model.detector, [pixels], [options])[0]

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self.seconds[stage] += time.perf_counter() - begin
