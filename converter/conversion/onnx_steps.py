"""Int8 steps in an ONNX graph: pairs of QuantizeLinear and DequantizeLinear.

What `edgeseg.converter.quantization.qdq` marked comes through the export as such pairs,
some of them drawn apart. Here each stands together again, and layers get theirs for the
weights. Layers are found by what they hold, not by name.

References
----------
github.com/onnx/onnx-tensorrt, importer of QuantizeLinear and DequantizeLinear: constant
positive scales, as many zero points as scales, all of them 0. Until TensorRT 8.6, as on
JetPack 4.6 to 6.0, weights are float32 constants in front of a pair: see
github.com/microsoft/onnxruntime/issues/14229. Newer versions read both forms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need_onnx

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edgeseg.converter.frameworks import OnnxMessage
    from edgeseg.converter.quantization.qdq_weights import WeightSteps
    from edgeseg.devices.types import Array

QUANTIZE, DEQUANTIZE = "QuantizeLinear", "DequantizeLinear"
_LAYERS = ("Conv", "ConvTranspose", "Gemm", "MatMul")


def write_steps(
    model: OnnxMessage, weights: Iterable[WeightSteps], *, is_shared: bool
) -> None:
    """Bring an exported graph into the form that TensorRT and others look for.

    Parameters
    ----------
    model : onnx.ModelProto
        Changed in place; a graph without int8 steps stays as it is.
    weights : iterable of WeightSteps
        The layers' rounded weights.
    is_shared : bool
        Whether all readers of a tensor may share one pair; TensorRT wants a pair for
        each (github.com/huggingface/optimum/pull/812).
    """
    _Pairs(model.graph).join()
    _quantize_weights(model.graph, weights)
    if not is_shared:
        _part_pairs(model.graph)


@dataclass(frozen=True)
class _Steps:
    """Names of the scale and the zero point of an int8 tensor."""

    scale: str
    zero_point: str


class _Pairs:
    """Puts each DequantizeLinear right behind its QuantizeLinear.

    The export lets what only moves values, a Transpose or a Concat, run on integers::

        Quantize -> Transpose -> Dequantize

    An engine recognises a layer by the pairs around it::

        Quantize -> Dequantize -> Transpose -> Quantize -> Dequantize
    """

    def __init__(self, graph: OnnxMessage) -> None:
        self._graph = graph
        self._steps: dict[str, _Steps] = {}
        self._nodes: list[OnnxMessage] = []
        self._real: dict[str, str] = {}

    def join(self) -> None:
        """Rewrite the graph."""
        for node in self._graph.node:
            if node.op_type == DEQUANTIZE:
                self._nodes.append(node)
            elif node.op_type == QUANTIZE:
                self._steps[node.output[0]] = _Steps(node.input[1], node.input[2])
                self._nodes.append(node)
            else:
                self._keep(node)
        del self._graph.node[:]
        self._graph.node.extend(self._nodes)

    def _keep(self, node: OnnxMessage) -> None:
        whole = [name for name in node.input if name in self._steps]
        node.input[:] = [self._as_real(name) for name in node.input]
        self._nodes.append(node)
        if not whole:
            return
        steps = self._steps[whole[0]]
        for place, name in enumerate(list(node.output)):
            real = f"{name}__real"
            node.output[place] = real
            self._nodes.append(_node(QUANTIZE, real, steps, name))
            self._steps[name] = steps

    def _as_real(self, name: str) -> str:
        if name not in self._steps:
            return name
        if name not in self._real:
            self._real[name] = f"{name}__dequantized"
            made = _node(DEQUANTIZE, name, self._steps[name], self._real[name])
            self._nodes.append(made)
        return self._real[name]


def _part_pairs(graph: OnnxMessage) -> None:
    """Give each reader of a dequantized activation a pair of its own."""
    makers = {name: node for node in graph.node for name in node.output}
    taken: set[str] = set()
    nodes: list[OnnxMessage] = []
    for node in graph.node:
        for place, name in enumerate(node.input):
            maker = makers.get(name)
            if maker is None or maker.op_type != DEQUANTIZE:
                continue
            if name in taken:
                pair, node.input[place] = _copied(
                    maker, makers, f"{name}__{len(nodes)}"
                )
                nodes.extend(pair)
            taken.add(name)
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)


def _copied(
    dequantize: OnnxMessage, makers: Mapping[str, OnnxMessage], name: str
) -> tuple[Sequence[OnnxMessage], str]:
    """Return a copy of a pair, and what it makes."""
    pair = []
    for kind, source in (
        (QUANTIZE, makers[dequantize.input[0]]),
        (DEQUANTIZE, dequantize),
    ):
        copy = type(source)()
        copy.CopyFrom(source)
        copy.name, copy.output[0] = f"{name}__{kind}", f"{name}__{kind}"
        pair.append(copy)
    pair[1].input[0] = pair[0].output[0]
    return pair, pair[1].output[0]


def _node(kind: str, source: str, steps: _Steps, target: str) -> OnnxMessage:
    helper = need_onnx("onnx").helper
    inputs = [source, steps.scale, steps.zero_point]
    return helper.make_node(kind, inputs, [target], name=f"{target}__{kind}")


def _quantize_weights(graph: OnnxMessage, weights: Iterable[WeightSteps]) -> None:
    """Put a pair behind the weights of each layer, one scale a channel."""
    onnx = need_onnx("onnx")
    known = {_key(each.values): each for each in weights}
    held = {tensor.name: tensor for tensor in graph.initializer}
    nodes: list[OnnxMessage] = []
    made: dict[str, str] = {}
    for node in graph.node:
        name = node.input[1] if len(node.input) > 1 else ""
        if node.op_type in _LAYERS and name in held:
            values = onnx.numpy_helper.to_array(held[name])
            steps = known.get(_key(values))
            if steps is not None:
                if name not in made:
                    made[name] = f"{name}__dequantized"
                    nodes.extend(_weight_pair(graph, name, made[name], steps))
                node.input[1] = made[name]
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)


def _weight_pair(
    graph: OnnxMessage, name: str, target: str, weights: WeightSteps
) -> Sequence[OnnxMessage]:
    import numpy as np

    onnx = need_onnx("onnx")
    scales = np.asarray(weights.scales, np.float32)
    parts = {"scale": scales, "zero_point": np.zeros(scales.shape, np.int8)}
    for suffix, values in parts.items():
        tensor = onnx.numpy_helper.from_array(values, f"{name}__{suffix}")
        graph.initializer.append(tensor)
    steps = [f"{name}__scale", f"{name}__zero_point"]
    return [
        onnx.helper.make_node(
            kind,
            [read, *steps],
            [written],
            name=f"{written}__{kind}",
            axis=weights.axis,
        )
        for kind, read, written in (
            (QUANTIZE, name, f"{name}__int8"),
            (DEQUANTIZE, f"{name}__int8", target),
        )
    ]


def _key(values: Array) -> tuple[tuple[int, ...], bytes]:
    import numpy as np

    return values.shape, np.ascontiguousarray(values, np.float32).tobytes()
