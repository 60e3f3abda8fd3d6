"""The tensors of a Keras model that int8 TensorFlow Lite rounds, and their ranges.

TensorFlow Lite rounds what each of its operators writes. Several layers of Keras may
be one operator there, and some operators write in the steps of what they read:

* a ReLU is computed by the convolution or the sum before it: its result is rounded;
* a resize or an average pooling keeps the steps of its input and rounds to them;
* what moves or repeats values (maximum pooling, cropping, padding) rounds nothing;
* a concatenation holds all parts in its own steps; a part that nothing else reads is
  written in them at once;
* a softmax or sigmoid has steps that are fixed, and stays as it is here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.converter.frameworks import KerasLayer
    from edgeseg.converter.networks.graph import LayerCall, LayerGraph

# Layers with a kernel that is rounded
WEIGHTED = ("Conv2D", "DepthwiseConv2D", "Conv2DTranspose", "Dense")
IMAGE = "image"  # key of the input's range
_FUSING = (*WEIGHTED, "Add", "Subtract", "Multiply", "BatchNormalization")
_MOVERS = (
    "Cropping2D",
    "Dropout",
    "Flatten",
    "GlobalMaxPooling2D",
    "Identity",
    "MaxPooling2D",
    "Permute",
    "Reshape",
    "SpatialDropout2D",
    "ZeroPadding2D",
)
_MIXERS = ("AveragePooling2D", "BilinearResize", "Resizing", "UpSampling2D")
_FIXED = ("softmax", "sigmoid", "log_softmax")


@dataclass(frozen=True)
class RoundingPlan:
    """The tensors of a model that are rounded; ranges are named by layer.

    Parameters
    ----------
    outputs : dict of str to str
        Layer whose output is rounded to the layer whose range that is (`IMAGE` for
        the input's).
    parts : dict of str to str
        Concatenation to the layer whose range all its parts are rounded by.
    """

    outputs: dict[str, str]
    parts: dict[str, str]

    @property
    def measured(self) -> frozenset[str]:
        """Names of all layers whose outputs' ranges are needed, and `IMAGE`."""
        return frozenset((IMAGE, *self.outputs.values(), *self.parts.values()))

    @classmethod
    def of(cls, graph: LayerGraph) -> RoundingPlan:
        """Return the plan for a graph whose batch normalizations are folded."""
        outputs: dict[str, str] = {}
        parts: dict[str, str] = {}
        for call in graph.calls:
            name, kind = call.layer.name, type(call.layer).__name__
            if kind == "Concatenate":
                parts[name] = name
            elif kind in _MIXERS:
                outputs[name] = _origin(graph, call)
            elif not (kind in _MOVERS or _is_fixed(call.layer)):
                after = graph.only_reader(call.output)
                if after is None or not _writes_for(call, after):
                    outputs[name] = name
        return cls(outputs, parts)


def _origin(graph: LayerGraph, call: LayerCall) -> str:
    """Return the layer that a tensor's steps come from, going back over kept ones."""
    maker: LayerCall | None = call
    while maker is not None and type(maker.layer).__name__ in (*_MIXERS, *_MOVERS):
        maker = graph.maker(maker.inputs[0])
    return IMAGE if maker is None else str(maker.layer.name)


def _writes_for(call: LayerCall, after: LayerCall) -> bool:
    """Return whether a layer's result is written in the form of the one after it."""
    kind = type(after.layer).__name__
    fused = type(call.layer).__name__ in _FUSING and is_plain_relu(after.layer)
    return kind == "Concatenate" or (fused and _is_linear(call.layer))


def is_plain_relu(layer: KerasLayer) -> bool:
    """Return whether a layer is a ReLU that TensorFlow Lite computes with another."""
    if type(layer).__name__ == "ReLU":
        ceiling = None if layer.max_value is None else float(layer.max_value)
        return (
            ceiling in (None, 6.0)
            and not float(layer.negative_slope or 0)
            and not float(layer.threshold or 0)
        )
    return _activation(layer) in ("relu", "relu6") and not hasattr(layer, "kernel")


def _is_linear(layer: KerasLayer) -> bool:
    return _activation(layer) in ("", "linear")


def _is_fixed(layer: KerasLayer) -> bool:
    return type(layer).__name__ == "Softmax" or _activation(layer) in _FIXED


def _activation(layer: KerasLayer) -> str:
    """Return the name of a layer's activation, empty where it has none."""
    return str(getattr(getattr(layer, "activation", None), "__name__", ""))
