"""Tensors of a lowered model, named by its layers and numbered by its operators.

TensorFlow names a tensor by everything that it merged into it; which parts that are,
their order and their counters depend on its version, and on which constants happen to
be equal; so does the order of the tensors. Here each operator's output has the name of
the layer that it computes, and each constant the name of the operator that reads it::

    segmenter_1/aspp0_activation_1/Relu;segmenter_1/aspp0_1/BiasAdd;...
    aspp0_activation
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgeseg.converter.quantization.flatbuffer import FlatModel

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from edgeseg.converter.frameworks import FlatOperator

_COUNTER = re.compile(r"_\d+$")
_ROLES = {
    "CONV_2D": {1: "weights", 2: "bias"},
    "DEPTHWISE_CONV_2D": {1: "weights", 2: "bias"},
    "FULLY_CONNECTED": {1: "weights", 2: "bias"},
    "TRANSPOSE_CONV": {0: "shape", 1: "weights", 3: "bias"},
    "RESIZE_BILINEAR": {1: "size"},
    "RESIZE_NEAREST_NEIGHBOR": {1: "size"},
}
# Metadata in which TensorFlow writes its version
_OF_THE_CONVERTER = b"CONVERSION_METADATA"


def name_by_layer(content: bytes, layers: Collection[str]) -> bytes:
    """Return a lowered model with tensors named by its layers.

    Names are unique, and depend on the layers and the order of the operators alone.
    TensorFlow's version is taken out of the file.

    Parameters
    ----------
    content : bytes
        A float TFLite model with one subgraph.
    layers : collection of str
        Names of the Keras model's layers.
    """
    flat = FlatModel(content)
    flat.order_tensors()
    counted = _has_counters(flat, layers)
    names = _Names()
    for index in flat.graph.inputs:
        names.give(int(index), _input_name(flat.name(int(index))))
    for operator in flat.graph.operators:
        kind = flat.kind(operator)
        first = flat.name(int(operator.outputs[0]))
        layer = names.free(_layer(first, layers, counted) or kind.lower())
        for index in map(int, operator.outputs):
            names.give(index, layer)
        for slot, index in enumerate(map(int, operator.inputs)):
            if index >= 0 and index not in names:
                role = _ROLES.get(kind, {}).get(slot, "constant")
                names.give(index, f"{layer}/{role}")
    for index in range(len(flat.graph.tensors)):
        flat.tensor(index).name = names[index].encode()
    flat.model.metadata = [
        entry for entry in flat.model.metadata or () if entry.name != _OF_THE_CONVERTER
    ]
    return flat.to_bytes()


class _Names:
    """Names given to tensors, each once."""

    def __init__(self) -> None:
        self._by_index: dict[int, str] = {}
        self._taken: set[str] = set()

    def __contains__(self, index: int) -> bool:
        return index in self._by_index

    def __getitem__(self, index: int) -> str:
        return self._by_index[index]

    def free(self, wanted: str) -> str:
        """Return the wanted name, with a number behind it where it is taken."""
        return next(name for name in _numbered(wanted) if name not in self._taken)

    def give(self, index: int, wanted: str) -> None:
        self._by_index[index] = self.free(wanted)
        self._taken.add(self._by_index[index])


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 1
    while True:
        yield f"{name}:{number}"
        number += 1


def _input_name(name: str) -> str:
    return name.removeprefix("serving_default_").partition(":")[0]


def _layer(name: str, layers: Collection[str], counted: bool) -> str | None:
    """Return the layer that TensorFlow named a tensor after.

    Parameters
    ----------
    name : str
        TensorFlow's, of which the part before the first ``;`` counts.
    layers : collection of str
        Names of the layers.
    counted : bool
        Whether to look first for a layer with a counter behind it.

    Examples
    --------
    >>> _layer("net_1/conv_1/Conv2D;net_1/conv_1/BiasAdd", {"conv", "conv_1"}, True)
    'conv'
    >>> _layer("net/conv_1/Conv2D", {"conv", "conv_1"}, False)
    'conv_1'
    """
    for part in name.partition(";")[0].split("/"):
        candidates = [part, _COUNTER.sub("", part)]
        for candidate in reversed(candidates) if counted else candidates:
            if candidate in layers:
                return candidate
    return None


def _has_counters(flat: FlatModel, layers: Collection[str]) -> bool:
    """Return whether layers have counters behind them in TensorFlow's names.

    ``conv_1`` is the layer ``conv``, drawn once more, or a layer of that name: what
    names more layers of the whole model is right.
    """
    found: dict[bool, set[str]] = {}
    for counted in (False, True):
        found[counted] = {
            layer
            for operator in flat.graph.operators
            for part in _first_part(flat, operator)
            if (layer := _COUNTER.sub("", part) if counted else part) in layers
            and (not counted or layer != part)
        }
    return len(found[True]) >= len(found[False])


def _first_part(flat: FlatModel, operator: FlatOperator) -> list[str]:
    return flat.name(int(operator.outputs[0])).partition(";")[0].split("/")
