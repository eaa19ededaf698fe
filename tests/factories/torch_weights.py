"""PyTorch weights files as `torch.save` wrote them before 1.6, made without PyTorch."""

from __future__ import annotations

import pickle
import struct
import sys
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
_STAGES = {"conv_3": 4, "conv_4": 6, "conv_5": 2}
_NORM = (
    ("weight", 0.8, 1.2),
    ("bias", -0.1, 0.1),
    ("running_mean", -0.1, 0.1),
    ("running_var", 0.5, 1.5),
)


def write_torch_file(path: Path, state: Mapping[str, np.ndarray]) -> Path:
    """Write `state` with the prefix that training on several GPUs leaves."""
    with mock.patch.dict(sys.modules, _torch()), path.open("wb") as file:
        for part in (_MAGIC, _PROTOCOL, {"little_endian": True}):
            pickle.dump(part, file, protocol=2)
        named = OrderedDict((f"module.{name}", _Tensor(array)) for name, array in state.items())
        _Pickler(file, protocol=2).dump(named)
        pickle.dump([str(id(tensor)) for tensor in named.values()], file, protocol=2)
        for tensor in named.values():
            file.write(struct.pack("<q", tensor.array.size) + tensor.array.tobytes())
    return path


def narrow_minifasnet(seed: int, *, excited: bool = False, width: int = 8) -> dict[str, np.ndarray]:
    """Random weights of a MiniFASNet of all its layers, each only `width` channels wide."""
    layers = _Layers(np.random.default_rng(seed))
    layers.block("conv1", width, 3, 3)
    layers.block("conv2_dw", width, 1, 3)
    for stage, blocks in _STAGES.items():
        before = f"conv_{int(stage[-1]) - 1}{stage[-1]}"
        for name in [before, *(f"{stage}.model.{number}" for number in range(blocks))]:
            layers.block(f"{name}.conv", width, width, 1)
            layers.block(f"{name}.conv_dw", width, 1, 3)
            layers.block(f"{name}.project", width, width, 1, slopes=False)
        if excited:
            layers.gate(f"{stage}.model.{blocks - 1}.se_module", width)
    layers.block("conv_6_sep", width, width, 1)
    layers.block("conv_6_dw", width, 1, 5, slopes=False)
    layers.weight("linear", width, width)
    layers.norm("bn", width)
    layers.weight("prob", 3, width)
    return layers.state


class _Layers:
    """Grows a state dictionary, one layer a call."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self.state: dict[str, np.ndarray] = {}

    def weight(self, name: str, *shape: int) -> None:
        deviation = np.sqrt(2 / np.prod(shape[1:]))
        self.state[f"{name}.weight"] = self._random.normal(0, deviation, shape).astype("<f4")

    def norm(self, name: str, channels: int) -> None:
        for part, low, high in _NORM:
            value = self._random.uniform(low, high, channels).astype("<f4")
            self.state[f"{name}.{part}"] = value
        self.state[f"{name}.num_batches_tracked"] = np.array(7, dtype="<i8")

    def block(self, name: str, out: int, of_group: int, side: int, *, slopes: bool = True) -> None:
        self.weight(f"{name}.conv", out, of_group, side, side)
        self.norm(f"{name}.bn", out)
        if slopes:
            value = self._random.uniform(0.1, 0.4, out).astype("<f4")
            self.state[f"{name}.prelu.weight"] = value

    def gate(self, name: str, width: int) -> None:
        for layer in ("1", "2"):
            self.weight(f"{name}.fc{layer}", width, width, 1, 1)
            self.norm(f"{name}.bn{layer}", width)


class _Tensor:
    def __init__(self, array: np.ndarray) -> None:
        self.array = np.ascontiguousarray(array)


class _Storage:
    def __init__(self, tensor: _Tensor) -> None:
        self.tensor = tensor


class _Pickler(pickle.Pickler):
    """Names tensors and storages as PyTorch does."""

    def reducer_override(self, value: Any) -> Any:
        if not isinstance(value, _Tensor):
            return NotImplemented
        rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2  # type: ignore[attr-defined]  # a stand-in
        shape = value.array.shape
        return rebuild, (_Storage(value), 0, shape, (), False, OrderedDict())

    def persistent_id(self, value: Any) -> Any:
        if not isinstance(value, _Storage):
            return None
        torch = sys.modules["torch"]
        array = value.tensor.array
        kind = torch.LongStorage if array.dtype.kind == "i" else torch.FloatStorage
        return "storage", kind, str(id(value.tensor)), "cpu", array.size, None


def _torch() -> dict[str, ModuleType]:
    """Modules under PyTorch's names, so that pickle may refer to what it finds in them."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    for name in ("FloatStorage", "LongStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2(*_: Any) -> None: ...

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]  # a stand-in
    return {"torch": torch, "torch._utils": utils}
