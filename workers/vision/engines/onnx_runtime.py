"""ONNX Runtime: the default engine, on the CPU or on a GPU through its CUDA provider."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from workers.vision.arrays import Floats

_GPU_BATCH = 32
_ERRORS_ONLY = 3


class OnnxRuntimeEngine:
    """Runs graphs with `threads` threads, or on the GPU when `device` is "cuda"."""

    name = "onnxruntime"
    precision = "fp32"

    def __init__(self, *, threads: int = 1, device: str = "cpu") -> None:
        self._threads = threads
        self._device = device

    def load(self, path: Path) -> OnnxRuntimeGraph:
        """Load the ONNX file at `path`."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        # A child runs more than its network: threads that spin between calls take its cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        providers = ["CPUExecutionProvider"]
        if self._device == "cuda":
            providers.insert(0, "CUDAExecutionProvider")
        session = onnxruntime.InferenceSession(str(path), options, providers=providers)
        on_gpu = session.get_providers()[0] != "CPUExecutionProvider"
        return OnnxRuntimeGraph(session, _GPU_BATCH if on_gpu else 1)


class OnnxRuntimeGraph:
    """A session and the names of what goes in and comes out."""

    def __init__(self, session: Any, batch_size: int) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self._outputs = [output.name for output in session.get_outputs()]
        self.batch_size = batch_size

    def run(self, batch: Floats) -> dict[str, Floats]:
        """Run the network over `batch`."""
        values = self._session.run(None, {self._input: np.ascontiguousarray(batch)})
        return dict(zip(self._outputs, values, strict=True))
