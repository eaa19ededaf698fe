"""Networks of a liveness model's shape that know one thing: what has little red is a spoof."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# As DeepFace calls its exports, which is how the installer knows them.
NAMES = ("2.7_80x80_MiniFASNetV2.onnx", "4_0_0_80x80_MiniFASNetV1SE.onnx")

_STEEPNESS, _BALANCE = 0.4, 5.0  # logits a grey level; how much more red than blue a live face has


def write_standins(folder: Path, *, planes: bool = False, softmax: bool = True) -> list[str]:
    """Write both networks; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        onnx.save(_network(planes=planes, softmax=softmax), folder / name)
    return [str(folder / name) for name in NAMES]


def without_red(photo: Path) -> bytes:
    """The photograph as the stand-ins' spoof: as a bad screen might show it."""
    pixels = cv2.imread(str(photo))
    assert pixels is not None, photo
    pixels[..., 2] = pixels[..., 2] * 0.55
    done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])
    assert done
    return data.tobytes()


def _network(*, planes: bool, softmax: bool) -> onnx.ModelProto:
    shape = ["n", 3, 80, 80] if planes else ["n", 80, 80, 3]
    colours = numpy_helper.from_array(
        np.array([[0, -1, 0], [0, 0, 0], [0, 1, 0]], dtype=np.float32) * _STEEPNESS, "colours"
    )
    bias = numpy_helper.from_array(
        np.array([0, -_BALANCE * _STEEPNESS, -20], dtype=np.float32), "bias"
    )
    axes = numpy_helper.from_array(np.array([2, 3] if planes else [1, 2]), "axes")
    # Rows count more the lower they are, so that a picture turned on its side is another picture.
    ramp = np.linspace(0.9, 1.1, 80, dtype=np.float32)
    rows = numpy_helper.from_array(ramp.reshape((80, 1) if planes else (80, 1, 1)), "rows")
    nodes = [
        helper.make_node("Mul", ["image", "rows"], ["weighted"]),
        helper.make_node("ReduceMean", ["weighted", "axes"], ["means"], keepdims=0),
        helper.make_node("Gemm", ["means", "colours", "bias"], ["logits"]),
    ]
    if softmax:
        nodes.append(helper.make_node("Softmax", ["logits"], ["classes"], axis=1))
    answer = "classes" if softmax else "logits"
    graph = helper.make_graph(
        nodes,
        "less-red",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(answer, TensorProto.FLOAT, ["n", 3])],
        [colours, bias, axes, rows],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
