"""OpenVINO: the engine for Intel and AMD processors when its package is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from workers.vision.arrays import Floats


class OpenVinoEngine:
    """Runs graphs on the CPU with `threads` threads."""

    name = "openvino"

    def __init__(self, *, threads: int = 1, precision: str = "fp32") -> None:
        import openvino

        self._core = openvino.Core()
        self._core.set_property({"ENABLE_MMAP": True})
        self._threads = threads
        self.precision = precision

    def load(self, path: Path) -> OpenVinoGraph:
        """Load the ONNX file at `path`."""
        model = self._core.read_model(path)
        options = {
            "INFERENCE_NUM_THREADS": self._threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": {"fp32": "f32", "bf16": "bf16"}[self.precision],
        }
        return OpenVinoGraph(self._core.compile_model(model, "CPU", options))


class OpenVinoGraph:
    """A compiled model and one request, which is reused."""

    batch_size = 1

    def __init__(self, compiled: Any) -> None:
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
