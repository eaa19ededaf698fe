"""Brings an operator's own classifier to the form that the registry's graphs have.

Exports of one network differ in the order of their axes and in whether probabilities or logits come
out. Both are settled once, at install, so that nothing has to be guessed per picture.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from app.domain.errors import ModelError
from workers.vision.arrays import Floats

_CHANNELS, _SIDE, _AXES = 3, 80, 4
_ANSWER = "probabilities"
_SUM_TOLERANCE = 1e-3


def adopt_classifier(source: Path) -> bytes:
    """Return the ONNX file `source` with planes (n, 3, height, width) in and probabilities out.

    Raises:
        ModelError: it cannot be read, or does not take one picture of three channels.
    """
    import onnx

    _session(source.read_bytes(), source.name)  # refuses what is no network before it is read here
    model = onnx.load(source)
    _take_planes(model.graph, source.name)
    _give_probabilities(model, source.name)
    return bytes(model.SerializeToString(deterministic=True))


def _take_planes(graph: Any, name: str) -> None:
    from onnx import helper

    constants = {item.name for item in graph.initializer}
    pictures = [item for item in graph.input if item.name not in constants]
    shape = [axis.dim_value for axis in pictures[0].type.tensor_type.shape.dim] if pictures else []
    if len(pictures) != 1 or len(shape) != _AXES or _CHANNELS not in (shape[1], shape[3]):
        raise ModelError(f"{name} does not take one picture of three channels, but {shape}")
    if shape[1] == _CHANNELS:
        return
    picture = pictures[0]
    planes = f"{picture.name}_planes"
    turn = helper.make_node("Transpose", [planes], [picture.name], planes, perm=[0, 2, 3, 1])
    graph.node.insert(0, turn)
    axes = [shape[0] or "n", _CHANNELS, shape[1], shape[2]]
    graph.input.remove(picture)
    kind = picture.type.tensor_type.elem_type
    graph.input.append(helper.make_tensor_value_info(planes, kind, axes))


def _give_probabilities(model: Any, name: str) -> None:
    """Add a Softmax, unless what the network answers to noise are probabilities already."""
    from onnx import helper

    classes = _answer_to_noise(model, name)
    if (classes >= 0).all() and np.allclose(classes.sum(axis=-1), 1, atol=_SUM_TOLERANCE):
        return
    output = model.graph.output[0]
    model.graph.node.append(helper.make_node("Softmax", [output.name], [_ANSWER], axis=-1))
    output.name = _ANSWER


def _answer_to_noise(model: Any, name: str) -> Floats:
    axes = model.graph.input[-1].type.tensor_type.shape.dim
    shape = [1, *(axis.dim_value or _SIDE for axis in axes[1:])]
    noise = np.random.default_rng(1).uniform(0, 255, shape).astype(np.float32)
    session = _session(model.SerializeToString(), name)
    (classes,) = session.run(None, {model.graph.input[-1].name: noise})
    return np.asarray(classes, dtype=np.float32)


def _session(content: bytes, name: str) -> Any:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as refusals

    try:
        return onnxruntime.InferenceSession(content)
    except (
        refusals.Fail,
        refusals.InvalidArgument,
        refusals.InvalidGraph,
        refusals.InvalidProtobuf,
    ) as error:
        raise ModelError(f"{name} is no network that runs: {error}") from error
