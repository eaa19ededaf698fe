"""What an inference engine is to the rest of vision."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from workers.vision.arrays import Floats


class Graph(Protocol):
    """A loaded network with one input."""

    @property
    def batch_size(self) -> int:
        """How many inputs at a time run fastest: 1 on a CPU, more on a GPU."""

    def run(self, batch: Floats) -> dict[str, Floats]:
        """Run the network over `batch`, axis 0 being the batch; outputs by name."""


class Engine(Protocol):
    """A library that runs networks. `precision` is what it computes in, such as fp32."""

    name: str
    precision: str

    def load(self, path: Path) -> Graph:
        """Load the ONNX file at `path`, which was verified before."""
