"""Turns the int8-block-quantised ONNX files of OpenCV's model zoo into plain fp32 graphs.

The files store every weight as int8 behind a DequantizeLinear node, and list the results as graph
inputs, which ONNX Runtime then asks for. Folding computes each weight once, at install. The result
depends on the source bytes alone, so that its digest can be stated in the registry.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def fold_weights(source: Path) -> bytes:
    """Return the fp32 form of the ONNX file `source`, with a free batch axis.

    Every DequantizeLinear node and every Reshape of a constant becomes an initializer. Where the
    input is an image of four axes, axis 0 is free; the detector's height and width are free too.
    """
    import onnx

    model = onnx.load(source)
    constants = {item.name: onnx.numpy_helper.to_array(item) for item in model.graph.initializer}
    _fold_nodes(model.graph, constants)
    _free_axes(model.graph, constants)
    _keep_used(model.graph, constants)
    return bytes(model.SerializeToString(deterministic=True))


def _fold_nodes(graph: Any, constants: dict[str, npt.NDArray[Any]]) -> None:
    """Replace the nodes whose result is known by that result; nodes are in topological order."""
    kept = []
    for node in graph.node:
        if node.op_type == "DequantizeLinear":
            constants[node.output[0]] = _dequantize(node, constants)
        elif node.op_type == "Reshape" and node.input[0] in constants:
            shape = constants[node.input[1]]
            constants[node.output[0]] = constants[node.input[0]].reshape(shape)
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)


def _dequantize(node: Any, constants: dict[str, npt.NDArray[Any]]) -> npt.NDArray[np.float32]:
    """Compute (x - zero_point) * scale, per tensor, per axis or per block, as ONNX defines it."""
    import numpy as np

    quantised, scale, zero_point = (constants[name] for name in node.input)
    attributes = {item.name: item.i for item in node.attribute}
    axis = attributes.get("axis", 1)
    length = quantised.shape[axis] if quantised.ndim else 1

    def spread(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if block := attributes.get("block_size", 0):
            return np.repeat(values, block, axis=axis).take(range(length), axis=axis)
        if values.ndim == 1 and quantised.ndim > 1:
            return values.reshape([-1 if i == axis else 1 for i in range(quantised.ndim)])
        return values

    centred = quantised.astype(np.int32) - spread(zero_point).astype(np.int32)
    return centred.astype(np.float32) * spread(scale).astype(np.float32)


def _free_axes(graph: Any, constants: dict[str, npt.NDArray[Any]]) -> None:
    """Make the batch axis free, and for a detector (several outputs) height and width as well."""
    is_detector = len(graph.output) > 1
    image = next(item for item in graph.input if len(item.type.tensor_type.shape.dim) == 4)  # noqa: PLR2004 - N, C, H, W
    axes = image.type.tensor_type.shape.dim
    axes[0].dim_param = "batch"
    if is_detector:
        axes[2].dim_param, axes[3].dim_param = "height", "width"
    for output in graph.output:
        output.type.tensor_type.shape.dim[0].dim_param = "batch"
        if is_detector:
            output.type.tensor_type.shape.dim[1].dim_param = f"cells_{output.name.split('_')[1]}"
    for node in graph.node:
        if node.op_type == "Reshape" and constants[node.input[1]][0] == 1:
            shape = constants[node.input[1]].copy()
            shape[0] = 0  # ONNX: take this axis from the input
            constants[node.input[1]] = shape
    del graph.value_info[:]  # the stated shapes no longer hold


def _keep_used(graph: Any, constants: dict[str, npt.NDArray[Any]]) -> None:
    """Drop the inputs and initializers that no node reads; write back the ones that are read."""
    import numpy as np
    from onnx import numpy_helper

    used = {name for node in graph.node for name in node.input}
    inputs = [item for item in graph.input if item.name in used and item.name not in constants]
    del graph.input[:]
    graph.input.extend(inputs)
    del graph.initializer[:]
    graph.initializer.extend(
        numpy_helper.from_array(np.ascontiguousarray(constants[name]), name)
        for name in sorted(used & constants.keys())
    )
