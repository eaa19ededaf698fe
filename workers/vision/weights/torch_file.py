"""Reads the arrays of a PyTorch weights file without PyTorch, and without running what is in it.

The format is that of `torch.save` before version 1.6, in which Silent-Face-Anti-Spoofing published
its networks: four pickles (magic number, protocol, system, state), the keys of the storages, then
each storage as a count and its raw little-endian values.
"""

from __future__ import annotations

import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from app.domain.errors import ModelError

_MAGIC = 0x1950A86A20F9469CFC6C
_TYPES: dict[str, np.dtype[Any]] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype[Any]


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]


def read_state(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of the state dictionary in `path` by name, without the prefix "module.".

    Raises:
        ModelError: it is no such file, or asks for anything but plain arrays.
    """
    try:
        with path.open("rb") as file:
            state, storages = _read(file)
        return {
            name.removeprefix("module."): _array(tensor, storages) for name, tensor in state.items()
        }
    except (pickle.UnpicklingError, EOFError, struct.error, ValueError, KeyError) as error:
        raise ModelError(f"{path.name} is no PyTorch file of weights: {error}") from error


def _read(file: BinaryIO) -> tuple[dict[str, _Tensor], dict[str, bytes]]:
    if _Reader(file).load() != _MAGIC:
        raise pickle.UnpicklingError("it does not start as PyTorch's files before 1.6 do")
    for _ in ("protocol", "system"):
        _Reader(file).load()
    reader = _Reader(file)
    state = reader.load()
    storages = {}
    for key in _Reader(file).load():
        (count,) = struct.unpack("<q", file.read(8))
        storages[key] = file.read(count * reader.types[key].itemsize)
    return state, storages


class _Reader(pickle.Unpickler):
    """An unpickler that knows arrays and nothing else."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.types: dict[str, np.dtype[Any]] = {}

    def find_class(self, module: str, name: str) -> Any:
        known = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
        }
        if (module, name) in known:
            return known[module, name]
        if module == "torch" and name in _TYPES:
            return name
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, pid: Any) -> _Storage:
        _, kind, key, *_ = pid
        storage = _Storage(key, _TYPES[kind])
        self.types[key] = storage.dtype
        return storage


def _tensor(storage: _Storage, offset: int, shape: tuple[int, ...], *_: Any) -> _Tensor:
    return _Tensor(storage, offset, shape)


def _array(tensor: _Tensor, storages: dict[str, bytes]) -> npt.NDArray[Any]:
    """Cut a tensor out of its storage; the files hold contiguous tensors only."""
    values = np.frombuffer(storages[tensor.storage.key], tensor.storage.dtype)
    count = int(np.prod(tensor.shape, dtype=np.int64))
    return values[tensor.offset : tensor.offset + count].reshape(tensor.shape)
