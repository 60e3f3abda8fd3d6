"""A whole Keras model as a start: its last 1x1 convolutions get the new classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need
from edgeseg.converter.networks.graph import LayerGraph
from edgeseg.converter.training.start.batch_graph import Start
from edgeseg.converter.training.start.new_head import (
    HeadWeights,
    start_labels,
    swap_columns,
)
from edgeseg.devices import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np

    from edgeseg.converter.frameworks import KerasLayer, KerasModel, KerasTensor
    from edgeseg.converter.loading.format import Loaded
    from edgeseg.converter.networks.graph import LayerCall

# What may stand between the last convolution and the output: no class is mixed there
_MOVERS = ("Resizing", "BilinearResize", "UpSampling2D", "Cropping2D")
_SUMS = ("Add",)  # of scores on several maps, as LR-ASPP has them
_ACTIVATIONS = ("Softmax", "Activation")
# Of a new norm's statistics: Keras' 0.99 takes hundreds of steps to forget the first
MOMENTUM = 0.95
_NORM = "BatchNormalization"


def with_head(
    loaded: Loaded,
    path: Path,
    classes: Sequence[str],
    rng: np.random.Generator,
    labels: str | None,
) -> Start:
    """Return a model with a head for other classes, its other layers unchanged.

    Parameters
    ----------
    loaded : Loaded
        From `load_model`: batch 1, flat.
    path : Path
        Its file, for messages and for ``labels.txt`` beside it.
    classes : sequence of str
        Names of the new classes.
    rng : numpy.random.Generator
        For the columns of classes that are new.
    labels : str or None
        Names of the old classes.

    Raises
    ------
    ModelError
        The output is not made by 1x1 convolutions, their sum, a softmax and resizes.
    """
    model, fresh = loaded.model, _never_trained(loaded.model)
    last, after = _last_layers(path, model)
    count = last[0].get_weights()[0].shape[-1]
    names = start_labels(path, labels, count)
    heads = [_columns(layer, () if fresh else names, classes, rng) for layer in last]
    copied = heads[0].copied
    if tuple(names) == tuple(classes) and _is_linear(last, after):
        new_model, note = model, "head as it was"
    else:
        new_model, new = _redrawn(model, last, after, len(classes))
        for layer, columns in zip(new, heads, strict=True):
            layer.set_weights([columns.kernel, columns.bias])
        note = f"head copied for {', '.join(copied) or 'no class'}"
    for layer in new_model.layers:
        layer.trainable = True  # the file may come from a training that froze some
        if fresh and type(layer).__name__ == _NORM:
            layer.momentum = MOMENTUM
    if fresh:
        note = "no batch norm has seen a picture: every layer is new"
    unknown = [layer.name for layer in last] if len(copied) < len(classes) else []
    return Start(
        new_model,
        frozenset([x.name for x in new_model.layers] if fresh else unknown),
        settled=not fresh,
        notes=(*loaded.notes, note),
        resize=loaded.resize,
    )


def _never_trained(model: KerasModel) -> bool:
    """Return whether every batch norm is as Keras makes it; without any, it is not."""
    made = {"gamma": 1, "beta": 0, "moving_mean": 0, "moving_variance": 1}
    norms = [layer for layer in model.layers if type(layer).__name__ == _NORM]
    return bool(norms) and all(
        (need("keras").ops.convert_to_numpy(weight) == made[weight.name]).all()
        for norm in norms
        for weight in norm.weights
    )


def _columns(
    layer: KerasLayer,
    old: Sequence[str],
    new: Sequence[str],
    rng: np.random.Generator,
) -> HeadWeights:
    kernel, *rest = (value.copy() for value in layer.get_weights())
    bias = rest[0] if rest else 0 * kernel[0, 0, 0]
    return swap_columns(kernel, bias, old, new, rng)


def _last_layers(
    path: Path, model: KerasModel
) -> tuple[list[KerasLayer], dict[str, KerasLayer]]:
    """Return the convolutions that give the scores, and what stands behind them."""
    last: list[KerasLayer] = []
    after: dict[str, KerasLayer] = {}
    waiting = [model.output]
    while waiting:
        layer = waiting.pop(0)._keras_history.operation
        kind = type(layer).__name__
        if kind in (*_MOVERS, *_SUMS, *_ACTIVATIONS):
            after[layer.name] = layer
            waiting += need("keras").tree.flatten(layer.input)
        elif kind != "Conv2D" or tuple(layer.kernel_size) != (1, 1):
            raise ModelError(
                f"{path}: the scores come from {layer.name!r} ({kind}), expected a 1x1 "
                "Conv2D, or a sum of several, then at most a softmax and resizes: no "
                "head that could be given other classes"
            )
        elif layer not in last:
            last.append(layer)
    return last, after


def _is_linear(last: list[KerasLayer], after: dict[str, KerasLayer]) -> bool:
    """Return whether scores leave the network as convolutions with a bias give them."""
    kinds = {type(layer).__name__ for layer in after.values()}
    return not kinds & set(_ACTIVATIONS) and all(
        layer.use_bias and layer.activation.__name__ == "linear" for layer in last
    )


def _redrawn(
    model: KerasModel,
    last: list[KerasLayer],
    after: dict[str, KerasLayer],
    classes: int,
) -> tuple[KerasModel, list[KerasLayer]]:
    """Return the model with other last convolutions and no softmax, and the former."""
    conv2d = need("keras").layers.Conv2D
    heads = {layer.name: conv2d(classes, 1, name=layer.name) for layer in last}

    def draw(call: LayerCall, *args: KerasTensor, **kwargs: object) -> KerasTensor:
        layer = call.layer
        if layer.name in heads:
            return heads[layer.name](*args)
        if layer.name not in after:
            return layer(*args, **kwargs)
        if type(layer).__name__ in _ACTIVATIONS:
            return args[0]
        # resizes were built for another number of channels
        return type(layer).from_config(layer.get_config())(*args, **kwargs)

    graph = LayerGraph.of(model, share_layers=True)
    return graph.redraw(draw), list(heads.values())
