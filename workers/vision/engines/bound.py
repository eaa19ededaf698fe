"""An ONNX Runtime session on a device: fixed batch sizes in memory that stays there."""

from __future__ import annotations

import ctypes
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np

from workers.vision.arrays import Floats

# Inputs at a time, rounded up to one of these: each size is planned and allocated once.
_BUCKETS = (1, 8, 16, 32, 64)
# Shapes whose buffers are kept. A recogniser has one, a detector those of the usual photographs.
_KEPT_SHAPES = 6
_CUDA_RUNTIMES = ("libcudart.so.13", "libcudart.so.12")


@dataclass(frozen=True)
class _Place:
    """Buffers for one shape: on the host, on the device, and the binding that uses them."""

    host: Floats
    device: Any
    binding: Any


class BoundGraph:
    """A session whose inputs travel through page-locked memory into buffers on the device.

    `device` is ONNX Runtime's name: "cuda", or "cpu", where it computes the same without a copy
    worth mentioning. Not for several threads at a time.
    """

    def __init__(self, session: Any, *, device: str, batch_size: int) -> None:
        self._session = session
        self._device = device
        self._input = session.get_inputs()[0].name
        self._outputs = [output.name for output in session.get_outputs()]
        self._places: OrderedDict[tuple[int, ...], _Place] = OrderedDict()
        self.batch_size = batch_size

    def run(self, batch: Floats) -> dict[str, Floats]:
        """Run the network over `batch`; what fills it up to a bucket is computed and dropped."""
        count = len(batch)
        place = self._place((_bucket(count), *batch.shape[1:]))
        place.host[:count] = batch
        place.device.update_inplace(place.host)
        self._session.run_with_iobinding(place.binding)
        values = place.binding.copy_outputs_to_cpu()
        return {name: values[i][:count] for i, name in enumerate(self._outputs)}

    def _place(self, shape: tuple[int, ...]) -> _Place:
        if shape in self._places:
            self._places.move_to_end(shape)
            return self._places[shape]
        while len(self._places) >= _KEPT_SHAPES:
            unpin(self._places.popitem(last=False)[1].host)
        self._places[shape] = self._new_place(shape)
        return self._places[shape]

    def _new_place(self, shape: tuple[int, ...]) -> _Place:
        import onnxruntime

        host = np.zeros(shape, dtype=np.float32)
        if self._device == "cuda":
            pin(host)
        device = onnxruntime.OrtValue.ortvalue_from_shape_and_type(
            list(shape), np.float32, self._device, 0
        )
        binding = self._session.io_binding()
        binding.bind_ortvalue_input(self._input, device)
        for name in self._outputs:
            binding.bind_output(name, self._device, 0)
        return _Place(host, device, binding)


def _bucket(count: int) -> int:
    return next((size for size in _BUCKETS if size >= count), count)


def pin(array: Floats) -> bool:
    """Lock an array's pages, so that the GPU copies them itself; False where CUDA will not."""
    runtime = _cuda_runtime()
    if runtime is None:
        return False
    size = ctypes.c_size_t(array.nbytes)
    return bool(runtime.cudaHostRegister(ctypes.c_void_p(array.ctypes.data), size, 0) == 0)


def unpin(array: Floats) -> None:
    """Unlock what `pin` locked; nothing happens to an array that was not."""
    runtime = _cuda_runtime()
    if runtime is not None:
        runtime.cudaHostUnregister(ctypes.c_void_p(array.ctypes.data))


def _cuda_runtime() -> Any:
    """Return CUDA's runtime library, which ONNX Runtime has loaded before, or None."""
    for name in _CUDA_RUNTIMES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None
