"""Builds the ONNX graph of a MiniFASNet out of its published weights.

MiniFASNet is MobileFaceNet with pruned widths, of which a variant has squeeze-and-excitation in the
last block of each stage (https://github.com/minivision-ai/Silent-Face-Anti-Spoofing). Widths,
kernels and groups are read from the weights; strides and the order of the blocks stand here. The
graph takes (n, 3, 80, 80) BGR pixels of 0 to 255 and gives the probability of each class. It
depends on the source bytes alone, so that its digest can be stated in the registry.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.domain.errors import ModelError
from workers.vision.weights.torch_file import read_state

INPUT_SIDE = 80

_OPSET, _IR_VERSION = 17, 8
_EPSILON = 1e-5  # what PyTorch adds to a variance unless told otherwise
_STAGES = ("conv_3", "conv_4", "conv_5")
_BEFORE_STAGE = {"conv_3": "conv_23", "conv_4": "conv_34", "conv_5": "conv_45"}


def minifasnet_graph(source: Path) -> bytes:
    """Return the network whose weights are in the PyTorch file `source` as an ONNX file.

    Raises:
        ModelError: the file is none of PyTorch's, or holds the weights of another network.
    """
    state = read_state(source)
    try:
        return _Builder(state).build()
    except KeyError as error:
        raise ModelError(f"{source.name} holds no MiniFASNet: it lacks {error}") from error


class _Builder:
    """A graph that grows one layer a call; a layer is named by its prefix in the weights."""

    def __init__(self, state: dict[str, npt.NDArray[Any]]) -> None:
        self._state = state
        self._nodes: list[Any] = []
        self._weights: list[Any] = []

    def build(self) -> bytes:
        from onnx import TensorProto, helper

        image = helper.make_tensor_value_info(
            "image", TensorProto.FLOAT, ["n", 3, INPUT_SIDE, INPUT_SIDE]
        )
        classes = len(self._state["prob.weight"])
        answer = helper.make_tensor_value_info(self._body(), TensorProto.FLOAT, ["n", classes])
        graph = helper.make_graph(self._nodes, "MiniFASNet", [image], [answer], self._weights)
        opset = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=_IR_VERSION)
        return bytes(model.SerializeToString(deterministic=True))

    def _body(self) -> str:
        x = self._convolved("conv1", "image", stride=2)
        x = self._convolved("conv2_dw", x)
        for stage in _STAGES:
            x = self._bottleneck(_BEFORE_STAGE[stage], x, stride=2)
            block = 0
            while f"{stage}.model.{block}.conv.conv.weight" in self._state:
                name = f"{stage}.model.{block}"
                change = self._excited(name, self._bottleneck(name, x))
                x = self._node("Add", f"{name}.sum", x, change)
                block += 1
        x = self._convolved("conv_6_dw", self._convolved("conv_6_sep", x), pad=False)
        x = self._node("Flatten", "flat", x)
        x = self._normalised("bn", self._product("linear", x))
        return self._node("Softmax", "probabilities", self._product("prob", x), axis=1)

    def _bottleneck(self, name: str, x: str, stride: int = 1) -> str:
        x = self._convolved(f"{name}.conv", x)
        x = self._convolved(f"{name}.conv_dw", x, stride=stride)
        return self._convolved(f"{name}.project", x)

    def _excited(self, name: str, x: str) -> str:
        """Weigh the channels, in the blocks that do."""
        gate = f"{name}.se_module"
        if f"{gate}.fc1.weight" not in self._state:
            return x
        y = self._node("GlobalAveragePool", f"{gate}.mean", x)
        y = self._normalised(f"{gate}.bn1", self._convolution(f"{gate}.fc1", y))
        y = self._node("Relu", f"{gate}.relu", y)
        y = self._normalised(f"{gate}.bn2", self._convolution(f"{gate}.fc2", y))
        return self._node("Mul", f"{gate}.out", x, self._node("Sigmoid", f"{gate}.gate", y))

    def _convolved(self, name: str, x: str, stride: int = 1, *, pad: bool = True) -> str:
        """Convolve, normalise, and rectify where the layer has slopes for that."""
        x = self._normalised(f"{name}.bn", self._convolution(f"{name}.conv", x, stride, pad=pad))
        if f"{name}.prelu.weight" not in self._state:
            return x
        slopes = self._state[f"{name}.prelu.weight"].reshape(-1, 1, 1)
        return self._node("PRelu", f"{name}.prelu", x, self._weight(f"{name}.prelu.weight", slopes))

    def _convolution(self, name: str, x: str, stride: int = 1, *, pad: bool = True) -> str:
        weight = self._state[f"{name}.weight"]
        channels, of_group, height, width = weight.shape
        border = [height // 2, width // 2] * 2 if pad else [0] * 4
        return self._node(
            "Conv",
            name,
            x,
            self._weight(f"{name}.weight", weight),
            group=channels if of_group == 1 else 1,
            kernel_shape=[height, width],
            pads=border,
            strides=[stride, stride],
        )

    def _normalised(self, name: str, x: str) -> str:
        parts = ("weight", "bias", "running_mean", "running_var")
        weights = [self._weight(f"{name}.{part}", self._state[f"{name}.{part}"]) for part in parts]
        return self._node("BatchNormalization", name, x, *weights, epsilon=_EPSILON)

    def _product(self, name: str, x: str) -> str:
        weight = np.ascontiguousarray(self._state[f"{name}.weight"].T)
        return self._node("MatMul", name, x, self._weight(f"{name}.weight", weight))

    def _weight(self, name: str, value: npt.NDArray[Any]) -> str:
        from onnx import numpy_helper

        self._weights.append(numpy_helper.from_array(value, name))
        return name

    def _node(self, kind: str, name: str, *inputs: str, **attributes: Any) -> str:
        from onnx import helper

        self._nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name
