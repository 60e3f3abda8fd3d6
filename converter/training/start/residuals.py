"""The inverted residuals of a network, found by what is computed, not by names.

References
----------
M. Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.converter.frameworks import KerasLayer
    from edgeseg.converter.networks.graph import LayerCall, LayerGraph

# What stands between the widening and the sum, channel by channel, without weights
_CHANNELWISE = ("ReLU", "Activation", "ZeroPadding2D", "Dropout")
_MIXING = ("softmax", "log_softmax", "glu")


@dataclass(frozen=True)
class Residual:
    """The layers of an inverted residual that change with its number of channels.

    Parameters
    ----------
    expand : keras.layers.Conv2D
        1x1, with a bias: widens.
    depthwise : keras.layers.DepthwiseConv2D
        Filters each wide channel alone.
    project : keras.layers.Conv2D
        1x1, with a bias: sums up.
    """

    expand: KerasLayer
    depthwise: KerasLayer
    project: KerasLayer

    @property
    def channels(self) -> int:
        """The number of wide channels."""
        count: int = self.project.kernel.shape[2]
        return count

    @property
    def work(self) -> int:
        """Multiply-adds of one wide channel."""
        widened, summed = (
            math.prod(layer.output.shape[1:3]) for layer in (self.expand, self.project)
        )
        window = math.prod(self.depthwise.kernel_size)
        into, out = self.expand.kernel.shape[2], self.project.kernel.shape[3]
        return int(widened * into + summed * (window + out))

    @property
    def sum_weights(self) -> NDArray[np.float64]:
        """The weights that sum up the wide channels, ``(C + 1, out)``, bias last."""
        import numpy as np

        kernel, bias = self.project.get_weights()
        return np.concatenate([kernel[0, 0], bias[None]]).astype(np.float64)


def inverted_residuals(graph: LayerGraph) -> list[Residual]:
    """Return the inverted residuals of a network, in its order."""
    found = (_residual(graph, call) for call in graph.calls)
    return [residual for residual in found if residual is not None]


def _residual(graph: LayerGraph, call: LayerCall) -> Residual | None:
    if type(call.layer).__name__ != "DepthwiseConv2D":
        return None
    if call.layer.depth_multiplier != 1:
        return None
    before = graph.maker(call.inputs[0])
    while before is not None and _passes(graph, before):
        before = graph.maker(before.inputs[0])
    after = graph.only_reader(call.output)
    while after is not None and _passes(graph, after):
        after = graph.only_reader(after.output)
    if before is None or after is None:
        return None
    if graph.only_reader(before.output) is None:
        return None
    if not (_is_pointwise(before.layer) and _is_pointwise(after.layer)):
        return None
    layers = (before.layer, call.layer, after.layer)
    if any(graph.times_called(layer.name) > 1 for layer in layers):
        return None
    return Residual(*(graph.model.get_layer(layer.name) for layer in layers))


def _passes(graph: LayerGraph, call: LayerCall) -> bool:
    """Return whether a call changes each channel alone, for one reader."""
    mixes = getattr(getattr(call.layer, "activation", None), "__name__", "") in _MIXING
    alone = graph.only_reader(call.output) is not None
    return type(call.layer).__name__ in _CHANNELWISE and alone and not mixes


def _is_pointwise(layer: KerasLayer) -> bool:
    return (
        type(layer).__name__ == "Conv2D"
        and tuple(layer.kernel_size) == (1, 1)
        and layer.groups == 1
        and layer.use_bias
    )
