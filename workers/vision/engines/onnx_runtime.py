"""ONNX Runtime: on the CPU, or on a GPU through its CUDA or TensorRT provider."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from app.domain.errors import ModelError
from workers.vision.arrays import Floats
from workers.vision.engines.bound import BoundGraph
from workers.vision.engines.gpu_memory import free_gpu_bytes, gpu_batch
from workers.vision.engines.interface import Graph

Device = Literal["cpu", "cuda", "tensorrt"]

_ERRORS_ONLY = 3
# In the order in which they take what they can compute.
_PROVIDERS: dict[Device, tuple[str, ...]] = {
    "cpu": ("CPUExecutionProvider",),
    "cuda": ("CUDAExecutionProvider", "CPUExecutionProvider"),
    "tensorrt": ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"),
}


class OnnxRuntimeEngine:
    """Runs graphs with `threads` threads, or on the GPU when `device` is not "cpu"."""

    name = "onnxruntime"
    precision = "fp32"

    def __init__(self, *, threads: int = 1, device: Device = "cpu") -> None:
        self._threads = threads
        self._device = device

    def load(self, path: Path) -> Graph:
        """Load the ONNX file at `path`.

        Raises:
            ModelError: the device's provider is not in the package that is installed, or does not
                start: nothing falls back to the CPU unnoticed.
        """
        import onnxruntime

        wanted = _PROVIDERS[self._device]
        if wanted[0] not in onnxruntime.get_available_providers():
            raise ModelError(
                f"FACE_DEVICE={self._device}, but the installed onnxruntime has no {wanted[0]}: "
                "pip install --require-hashes -r requirements-gpu.txt"
            )
        if self._device != "cpu":
            onnxruntime.preload_dlls()
        session = onnxruntime.InferenceSession(
            str(path), self._options(onnxruntime), providers=list(wanted)
        )
        if self._device == "cpu":
            return OnnxRuntimeGraph(session)
        if session.get_providers()[0] != wanted[0]:
            raise ModelError(f"FACE_DEVICE={self._device}, but {wanted[0]} does not start here")
        return BoundGraph(session, device="cuda", batch_size=gpu_batch(free_gpu_bytes()))

    def _options(self, onnxruntime: Any) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        # A child runs more than its network: threads that spin between calls take its cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return options


class OnnxRuntimeGraph:
    """A session on the CPU, and the names of what goes in and comes out."""

    batch_size = 1

    def __init__(self, session: Any) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self._outputs = [output.name for output in session.get_outputs()]

    def run(self, batch: Floats) -> dict[str, Floats]:
        """Run the network over `batch`."""
        values = self._session.run(None, {self._input: np.ascontiguousarray(batch)})
        return dict(zip(self._outputs, values, strict=True))
