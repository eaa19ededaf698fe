"""The stages of recognition in a plain loop: what the pipeline is held against."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from app.domain.image_header import read_image_header
from scripts.bench.pictures import Picture
from workers.vision.arrays import Pixels
from workers.vision.faces.align import align
from workers.vision.faces.find_faces import find_faces
from workers.vision.faces.quality import face_quality
from workers.vision.images.decode import decode_in_process
from workers.vision.load_model import LoadedModel
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
            pixels = decode_in_process(picture.data, read_image_header(picture.data))
        with self._timed("detect"):
            (faces,) = find_faces(self._model.detector, [pixels], [options_of(picture, rotation)])
        with self._timed("align"):
            crops = [align(pixels, landmarks) for landmarks in faces.landmarks]
        with self._timed("quality"):
            for crop, points, score in zip(crops, faces.landmarks, faces.scores, strict=True):
                face_quality(crop, points, float(score))
        return crops

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self.seconds[stage] += time.perf_counter() - begin
