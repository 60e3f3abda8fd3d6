"""Small ``.onnx`` networks as edgeseg converts them, built from code."""

from __future__ import annotations

import numpy as np

from edgeseg.runtime import Manifest
from edgeseg.runtime.model.embedded import onnx_with_manifest


def stepped_network(*, ends="scores", steps=True):
    """Return an ``.onnx`` file as convert makes them: int8 steps, channels last."""
    import onnx  # an extra

    random = np.random.default_rng(4)
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    constants = {
        "scale": np.float32(2 / 255),
        "zero": np.uint8(128),
        "first": random.normal(size=(4, 3, 2, 2)).astype(np.float32),
        "second": random.normal(size=(3, 4, 1, 1)).astype(np.float32),
    }
    make = helper.make_node
    nodes = [
        make("Transpose", ["real"], ["turned"], perm=[0, 3, 1, 2]),
        make("QuantizeLinear", ["turned", "scale", "zero"], ["again"]),
        make("DequantizeLinear", ["again", "scale", "zero"], ["seen"]),
        make("Conv", ["seen", "first"], ["features"], strides=[2, 2]),
        make("Conv", ["features", "second"], ["planes"]),
        make("Transpose", ["planes"], ["scores"], perm=[0, 2, 3, 1]),
    ]
    if steps:
        nodes[:0] = [
            make("QuantizeLinear", ["image", "scale", "zero"], ["whole"]),
            make("DequantizeLinear", ["whole", "scale", "zero"], ["real"]),
        ]
    else:
        nodes[0].input[0] = "image"
        nodes[1:3] = [make("Identity", ["turned"], ["seen"])]
    if ends == "labels":
        nodes.append(make("ArgMax", ["scores"], ["ids"], axis=3, keepdims=0))
    real = onnx.TensorProto.FLOAT
    result = (
        helper.make_tensor_value_info("scores", real, [1, 8, 12, 3])
        if ends == "scores"
        else helper.make_tensor_value_info("ids", onnx.TensorProto.INT64, [1, 8, 12])
    )
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("image", real, [1, 16, 24, 3])],
        [result],
        [numpy_helper.from_array(np.array(v), name) for name, v in constants.items()],
    )
    opset = [helper.make_opsetid("", 13)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    labels = Manifest(labels=("background", "cat", "dog"))
    return onnx_with_manifest(model.SerializeToString(), labels)
