"""Batch normalizations folded into the convolutions before them.

In inference a batch normalization multiplies each channel by a number and adds
another; after a convolution both go into kernel and bias::

    kernel' = kernel * gamma / sqrt(variance + epsilon)
    bias'   = (bias - mean) * gamma / sqrt(variance + epsilon) + beta

TensorFlow Lite's converter does the same, with the processor's own reciprocal square
root: on some processors 1 / sqrt(1) is 1, on others 1 - 2^-23, and the last bits of all
weights follow. Here square root, quotient and product are float64 operations of NumPy,
which IEEE 754 rounds exactly: the same bits on every processor. Training through int8
needs the norms folded too: the weights that are rounded are the folded ones.

References
----------
B. Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", CVPR 2018 (section 3.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need, third_party
from edgeseg.converter.networks.graph import LayerGraph, fresh, take_weights
from edgeseg.devices import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.converter.frameworks import KerasLayer, KerasModel, KerasTensor
    from edgeseg.converter.networks.graph import LayerCall
    from edgeseg.devices.types import Array, Json

_FOLDABLE = ("Conv2D", "DepthwiseConv2D", "Conv2DTranspose", "SeparableConv2D")
# Settings of a SeparableConv2D that its first half keeps
_FIRST_HALF = ("kernel_size", "strides", "padding", "dilation_rate", "depth_multiplier")


def fold(model: KerasModel) -> KerasModel:
    """Return a model that computes the same with fewer batch normalizations.

    Those that follow a convolution directly are gone; others stay, as after a sum. A
    separable convolution becomes the two that it consists of, as in TensorFlow Lite,
    where what flows between them is rounded too: ``NAME_split_depthwise`` and
    ``NAME``. All other layers keep their names, settings and ``trainable``.

    Parameters
    ----------
    model : keras.Model
        Functional, one input, one output, no models inside. Left as it is.

    Returns
    -------
    keras.Model
        Same input and output, layers and weights of its own.

    Raises
    ------
    ModelError
        The model is no such graph.
    """
    graph = LayerGraph.of(model)
    pairs = foldable_pairs(graph)
    norms = {conv: norm for norm, conv in pairs.items()}
    layers: Json = {}

    def draw(call: LayerCall, *args: KerasTensor, **kwargs: object) -> KerasTensor:
        name = call.layer.name
        if name in pairs:
            return args[0]
        if name not in layers:
            changes = {"use_bias": True} if name in norms else {}
            layers[name] = _copy(call.layer, changes)
        return layers[name](*args, **kwargs)

    folded = graph.redraw(draw)
    for name, layer in layers.items():
        source = model.get_layer(name) if hasattr(layer, "weights") else None
        if name in norms:
            _fill(layer, source, model.get_layer(norms[name]))
        elif source is not None and source.weights:
            take_weights(layer, source)
    return folded


def fold_for_inference(model: KerasModel) -> KerasModel:
    """Return a model that computes the same in inference, without batch norms.

    Those behind a convolution are folded into it; others become a multiplication and
    an addition of fixed numbers, one a channel. Norms over another axis stay, and
    nothing else changes.

    Parameters
    ----------
    model : keras.Model
        Left as it is; layers that stay are shared with the result.

    Returns
    -------
    keras.Model
        The model itself where there is nothing to fold, or where it is code rather
        than a graph of layers.
    """
    if not any(_is_norm(layer) for layer in getattr(model, "layers", ())):
        return model
    try:
        graph = LayerGraph.of(model, share_layers=True)
    except ModelError:
        return model
    pairs = foldable_pairs(graph)
    norms = {conv: norm for norm, conv in pairs.items()}

    def draw(call: LayerCall, *args: KerasTensor, **kwargs: object) -> KerasTensor:
        layer = call.layer
        if layer.name in pairs:
            return args[0]
        if _normalizes_channels(layer, len(call.output.shape)):
            return _as_affine(layer, args[0])
        if layer.name not in norms:
            return layer(*args, **kwargs)
        folded = _copy(layer, {"use_bias": True})
        output = folded(*args, **kwargs)
        _fill(folded, layer, model.get_layer(norms[layer.name]))
        return output

    return graph.redraw(draw)


def foldable_pairs(graph: LayerGraph) -> dict[str, str]:
    """Return the batch normalizations that can go, each with its convolution.

    Parameters
    ----------
    graph : LayerGraph
        Of the model.

    Returns
    -------
    dict of str to str
        Name of the normalization to name of the convolution.
    """
    pairs = {}
    for call in graph.calls:
        after = graph.only_reader(call.output)
        if (
            after is not None
            and _is_foldable(call.layer)
            and _normalizes_channels(after.layer, len(call.output.shape))
            and graph.times_called(call.layer.name) == 1
            and graph.times_called(after.layer.name) == 1
        ):
            pairs[after.layer.name] = call.layer.name
    return pairs


def channel_axes(layer: KerasLayer) -> tuple[int, ...]:
    """Return the axes of a layer's kernel that number its output channels.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> channel_axes(type("DepthwiseConv2D", (), {})())
    (2, 3)
    """
    axes = {"DepthwiseConv2D": (2, 3), "Conv2DTranspose": (2,), "Dense": (1,)}
    return axes.get(type(layer).__name__, (3,))


class _Halves:
    """A separable convolution as a depthwise and a pointwise one."""

    def __init__(self, layer: KerasLayer, changes: Json) -> None:
        layers = need("keras").layers
        config = layer.get_config()
        self.first = layers.DepthwiseConv2D(
            **{key: config[key] for key in _FIRST_HALF},
            use_bias=False,
            name=f"{layer.name}_split_depthwise",
            trainable=layer.trainable,
        )
        self.second = layers.Conv2D(
            layer.filters,
            1,
            activation=layer.activation,
            use_bias=changes.get("use_bias", layer.use_bias),
            name=layer.name,
            trainable=layer.trainable,
        )

    def __call__(self, x: KerasTensor) -> KerasTensor:
        return self.second(self.first(x))

    @property
    def weights(self) -> list[KerasTensor]:
        """All weights, in the order of the separable convolution's."""
        return [*self.first.weights, *self.second.weights]

    def set_weights(self, values: list[Array]) -> None:
        """Set the weights of both."""
        self.first.set_weights(values[:1])
        self.second.set_weights(values[1:])


def _copy(layer: KerasLayer, changes: Json) -> KerasLayer:
    if type(layer).__name__ == "SeparableConv2D":
        return _Halves(layer, changes)
    return fresh(layer, **changes)


def _is_foldable(layer: KerasLayer) -> bool:
    linear = need("keras").activations.linear
    return (
        type(layer).__name__ in _FOLDABLE
        and layer.activation in (None, linear)
        and layer.data_format == "channels_last"
    )


def _is_norm(layer: KerasLayer) -> bool:
    return type(layer).__name__ == "BatchNormalization"


def _normalizes_channels(layer: KerasLayer, rank: int) -> bool:
    return _is_norm(layer) and layer.axis in (-1, rank - 1)


def _as_affine(norm: KerasLayer, x: KerasTensor) -> KerasTensor:
    """Return what a batch normalization makes of a tensor, as ``x * a + b``."""
    import numpy as np

    factor, offset = (values.astype(np.float32) for values in _affine(norm))
    # a layer of its own: Keras would number operators `add` as the model's own layers
    name = f"{norm.name}_affine"
    return need("keras").layers.Rescaling(factor, offset, name=name)(x)


def _fill(layer: KerasLayer, convolution: KerasLayer, norm: KerasLayer) -> None:
    """Set kernel and bias to those of a convolution and the norm behind it."""
    import numpy as np

    factor, offset = _affine(norm)
    with third_party():
        *kernels, bias = convolution.get_weights()
        if not convolution.use_bias:
            kernels, bias = [*kernels, bias], np.zeros(len(factor))
    wide = kernels[-1].astype(np.float64)
    kernels[-1] = (wide * _along(convolution, wide.shape, factor)).astype(np.float32)
    new_bias = (bias * factor + offset).astype(np.float32)
    with third_party():
        layer.set_weights([*kernels, new_bias])


def _affine(norm: KerasLayer) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what a batch normalization multiplies by and adds, ``(C,)`` each."""
    import numpy as np

    def values(name: str, default: float) -> NDArray[np.float64]:
        variable = getattr(norm, name)
        with third_party():
            held = default if variable is None else variable.numpy()
        return np.asarray(held, np.float64)

    factor = values("gamma", 1.0) / np.sqrt(values("moving_variance", 1) + norm.epsilon)
    return factor, values("beta", 0.0) - values("moving_mean", 0) * factor


def _along(
    layer: KerasLayer, shape: tuple[int, ...], factor: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return a factor for each output channel in a form that a kernel multiplies."""
    axes = channel_axes(layer)
    return factor.reshape([n if i in axes else 1 for i, n in enumerate(shape)])
