"""OpenVINO: the engine for Intel and AMD processors when its package is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from workers.vision.arrays import Floats

# Faces at a time: each weight is read once for all of them, and their activations still fit the
# cache. On a core with AVX2 and 512 KiB: 15.5 ms a face alone, 14.0 by four, 14.5 by eight.
FACE_BATCH = 4


class OpenVinoEngine:
    """Runs graphs on the CPU with `threads` threads, `batch` inputs at a time."""

    name = "openvino"

    def __init__(self, *, threads: int = 1, precision: str = "fp32", batch: int = 1) -> None:
        import openvino

        self._core = openvino.Core()
        self._core.set_property({"ENABLE_MMAP": True})
        self._threads = threads
        self._batch = batch
        self.precision = precision

    def load(self, path: Path) -> OpenVinoGraph:
        """Load the ONNX file at `path`."""
        model = self._core.read_model(path)
        options = {
            "INFERENCE_NUM_THREADS": self._threads,
            "NUM_STREAMS": 1,
            # With one stream the hint only chooses among layouts; this one's are faster.
            "PERFORMANCE_HINT": "THROUGHPUT",
            "INFERENCE_PRECISION_HINT": {"fp32": "f32", "bf16": "bf16"}[self.precision],
        }
        return OpenVinoGraph(self._core.compile_model(model, "CPU", options), self._batch)


class OpenVinoGraph:
    """A compiled model and one request, which is reused.

    The batch axis stays free: one model for each of a few fixed sizes is no faster, and each
    takes 110 MB for its own copy of SFace's weights.
    """

    def __init__(self, compiled: Any, batch_size: int = 1) -> None:
        self.batch_size = batch_size
        self._request = compiled.create_infer_request()
        # A tensor has several names; the one that ONNX gave the output is its node's.
        self._outputs = [
            output.get_node().get_friendly_name().removesuffix("/sink_port_0")
            for output in compiled.outputs
        ]

    def run(self, batch: Floats) -> dict[str, Floats]:
        """Run the network over `batch`; the outputs are copies, the request's are overwritten."""
        values = self._request.infer([np.ascontiguousarray(batch)])
        return {name: values[i].copy() for i, name in enumerate(self._outputs)}


def computes_bf16() -> bool:
    """Whether this processor has instructions for bf16, as OpenVINO sees it."""
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
