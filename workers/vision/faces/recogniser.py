"""A recogniser: aligned crops in, unit vectors out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.domain.model_registry import InputSpec, ModelEntry
from workers.vision.arrays import Floats, Pixels
from workers.vision.engines.interface import Graph
from workers.vision.images.light import lightened_face

_SHORTEST = 1e-12  # a zero vector stays one, instead of becoming not-a-number


class Recogniser:
    """A network that embeds faces, fed the way its registry entry states."""

    def __init__(self, entry: ModelEntry, graph: Graph) -> None:
        self.name = entry.name
        self.dimensions = entry.dimensions
        self._spec = entry.input
        self._flip_averaging = entry.flip_averaging
        self._graph = graph

    def embed(self, crops: Sequence[Pixels]) -> Floats:
        """Embed (112, 112, 3) BGR crops; returns (n, dimensions), each row of length 1.

        Dark faces are lightened first. With flip averaging, a row is the mean of the face's vector
        and its mirror image's.

        Raises:
            ValueError: the network does not answer with vectors of the stated dimension.
        """
        if not crops:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        crops = [lightened_face(crop) for crop in crops]
        vectors = self._unit_vectors(crops)
        if not self._flip_averaging:
            return vectors
        return _of_length_1(vectors + self._unit_vectors([crop[:, ::-1] for crop in crops]))

    def _unit_vectors(self, crops: Sequence[Pixels]) -> Floats:
        size = 1 if self._spec.batch_axis == "one" else self._graph.batch_size
        parts = [self._forward(crops[i : i + size]) for i in range(0, len(crops), size)]
        return _of_length_1(np.concatenate(parts))

    def _forward(self, crops: Sequence[Pixels]) -> Floats:
        (vectors,) = self._graph.run(prepare(crops, self._spec)).values()
        if vectors.shape != (len(crops), self.dimensions):
            raise ValueError(
                f"{self.name} answered with shape {vectors.shape}, "
                f"the registry states {self.dimensions} dimensions"
            )
        return np.asarray(vectors, dtype=np.float32)


def _of_length_1(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, _SHORTEST), dtype=np.float32)


def prepare(crops: Sequence[Pixels], spec: InputSpec) -> Floats:
    """Stack BGR crops into the network's channel order, value range and layout."""
    batch = np.stack(crops)
    if spec.channel_order == "RGB":
        batch = batch[..., ::-1]
    if spec.layout == "NCHW":
        batch = batch.transpose(0, 3, 1, 2)
    values = np.ascontiguousarray(batch, dtype=np.float32)
    if spec.mean or spec.scale != 1:
        values = (values - np.float32(spec.mean)) * np.float32(spec.scale)
    return values
