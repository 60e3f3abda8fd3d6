"""A trained model to one that trains through the rounding of int8, and back.

::

    folded = fold(model)
    prepared = prepare(folded, measure_ranges(folded, batches))
    ...                                 # train `prepared` like any model
    shipped = restore(prepared)         # a plain model: `edgeseg convert` takes it

Ranges are measured on the Keras model by the converter's own rule (`CENTRAL`), not
taken from a TFLite file's: those are named after what TensorFlow fused, names that no
layer has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need, third_party
from edgeseg.converter.networks.folding import channel_axes
from edgeseg.converter.networks.graph import LayerGraph, fresh, take_weights
from edgeseg.converter.quantization.ranges import CENTRAL, Histogram
from edgeseg.converter.training.int8.layers import (
    fake_quant_layer,
    rounded_weights_layer,
)
from edgeseg.converter.training.int8.plan import IMAGE, WEIGHTED, RoundingPlan
from edgeseg.converter.training.int8.rounding import weights_on_grid
from edgeseg.devices import InputError, ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edgeseg.converter.frameworks import KerasLayer, KerasModel, KerasTensor
    from edgeseg.converter.networks.graph import LayerCall
    from edgeseg.devices.types import Array, Json

    Range = tuple[float, float]


def measure_ranges(folded: KerasModel, batches: Iterable[Array]) -> dict[str, Range]:
    """Return the ranges of the tensors that int8 rounds.

    Parameters
    ----------
    folded : keras.Model
        From `fold`, in inference mode whatever it is set to.
    batches : iterable of ndarray
        Input tensors ``(N, H, W, 3)`` float32; pictures are run one at a time, as the
        converter does.

    Returns
    -------
    dict of str to (float, float)
        By layer name, and `IMAGE` for the input: lowest and highest value without
        the outermost ten-thousandth at each end.

    Raises
    ------
    InputError
        There is no picture.
    ModelError
        A tensor is not finite: the training went wrong.
    """
    observed, names = _observed(folded)
    histograms = {name: Histogram() for name in names}
    for batch in batches:
        for frame in batch:
            with third_party():
                values = observed.predict_on_batch(frame[None])
            for name, tensor in zip(names, values, strict=True):
                _add(histograms[name], name, tensor)
    first = histograms[names[0]]
    if first.low > first.high:
        raise InputError("no picture to measure ranges on: give at least one batch")
    return {name: h.central(CENTRAL) for name, h in histograms.items()}


def prepare(folded: KerasModel, ranges: Mapping[str, Range]) -> KerasModel:
    """Return a model that computes as int8 will and can be trained.

    Parameters
    ----------
    folded : keras.Model
        From `fold`. Left as it is.
    ranges : mapping of str to (float, float)
        From `measure_ranges` of the same model; they stay fixed.

    Returns
    -------
    keras.Model
        Same input, output and weights, layers of the same names with the same
        ``trainable``; `FakeQuant` layers stand between them.

    Raises
    ------
    ModelError
        The model is no flat graph, or was prepared already.
    InputError
        Ranges of another model.
    """
    graph = LayerGraph.of(folded)
    if any(isinstance(c.layer, fake_quant_layer()) for c in graph.calls):
        raise ModelError("the model is prepared already: restore it first")
    plan = RoundingPlan.of(graph)
    missing = sorted(plan.measured - ranges.keys())
    if missing:
        raise InputError(
            f"no range for {len(missing)} of {len(plan.measured)} layers, such as "
            f"'{missing[0]}': measure ranges on this very model"
        )
    drawing = _Preparation(plan, ranges)
    prepared = graph.redraw(
        drawing.draw, enter=lambda image: drawing.rounded(image, IMAGE, IMAGE)
    )
    for name, layer in drawing.layers.items():
        if getattr(layer, "weights", None):
            take_weights(layer, graph.model.get_layer(name))
    prepared.jit_compile = False  # until `compile` says otherwise
    return prepared


def restore(prepared: KerasModel, *, on_grid: bool = True) -> KerasModel:
    """Return the plain model with the weights that a prepared one has learnt.

    Parameters
    ----------
    prepared : keras.Model
        From `prepare`; left as it is.
    on_grid : bool
        Give each kernel the values that it was trained with, those after rounding,
        so that the converter finds the same integers and ships what was measured;
        else the float values underneath.

    Returns
    -------
    keras.Model
        Of stock layers, as `fold` gave it.

    Raises
    ------
    ModelError
        The model is no flat graph.
    """
    graph = LayerGraph.of(prepared)
    layers: Json = {}

    def draw(call: LayerCall, *args: KerasTensor, **kwargs: object) -> KerasTensor:
        if isinstance(call.layer, fake_quant_layer()):
            return args[0]
        name = call.layer.name
        if name not in layers:
            layers[name] = fresh(_inner(call.layer))
        return layers[name](*args, **kwargs)

    plain = graph.redraw(draw)
    for name, layer in layers.items():
        if getattr(layer, "weights", None):
            source = graph.model.get_layer(name)
            take_weights(layer, source)
            if on_grid and isinstance(source, rounded_weights_layer()):
                _round_kernel(layer)
    return plain


@dataclass(frozen=True)
class Agreement:
    """The agreement of two models on the same pictures.

    Parameters
    ----------
    labels : float
        Share of pixels with equal labels, 0..1, on the network's own output grid.
    largest_difference, mean_difference : float
        Of two scores, absolute.
    """

    labels: float
    largest_difference: float
    mean_difference: float


def simulate(prepared: KerasModel, tensors: Iterable[Array]) -> list[Array]:
    """Return the scores that int8 is expected to give.

    Parameters
    ----------
    prepared : keras.Model
        From `prepare`.
    tensors : iterable of ndarray
        Input tensors ``(N, H, W, 3)`` float32.

    Returns
    -------
    list of ndarray
        ``(N, h, w, C)`` float32 for each.
    """
    with third_party():
        return [prepared.predict_on_batch(tensor) for tensor in tensors]


def agreement(scores: Iterable[Array], others: Iterable[Array]) -> Agreement:
    """Compare the scores of two models on the same pictures.

    Parameters
    ----------
    scores, others : iterable of ndarray
        ``(N, h, w, C)`` float32; the same shapes in both.
    """
    import numpy as np

    equal = total = values = 0
    largest = summed = 0.0
    for one, other in zip(scores, others, strict=True):
        same = one.argmax(-1) == other.argmax(-1)
        equal, total = equal + int(same.sum()), total + same.size
        apart = np.abs(one.astype(np.float64) - other)
        largest = max(largest, float(apart.max()))
        summed, values = summed + float(apart.sum()), values + apart.size
    if not total:
        raise InputError("no scores to compare: give at least one picture")
    return Agreement(equal / total, largest, summed / values)


class _Preparation:
    """Draws each call with the rounding that a plan puts around it."""

    def __init__(self, plan: RoundingPlan, ranges: Mapping[str, Range]) -> None:
        self._plan = plan
        self._ranges = ranges
        self._made = 0
        self.layers: Json = {}

    def draw(
        self, call: LayerCall, *args: KerasTensor, **kwargs: object
    ) -> KerasTensor:
        name = call.layer.name
        if name not in self.layers:
            self.layers[name] = _wrapped(call.layer)
        if name in self._plan.parts:
            args = (self._parts(args[0], name), *args[1:])
        output = self.layers[name](*args, **kwargs)
        if name not in self._plan.outputs:
            return output
        return self.rounded(output, name, self._plan.outputs[name])

    def rounded(self, tensor: KerasTensor, name: str, origin: str) -> KerasTensor:
        """Round a tensor by the range of a layer; `name` is for the new layer's."""
        self._made += 1  # a layer that is called twice is rounded twice
        low, high = self._ranges[origin]
        layer = fake_quant_layer()
        return layer(low, high, name=f"{name}_int8_{self._made}")(tensor)

    def _parts(self, tensors: Sequence[KerasTensor], name: str) -> list[KerasTensor]:
        return [self.rounded(t, name, self._plan.parts[name]) for t in tensors]


def _observed(folded: KerasModel) -> tuple[KerasModel, list[str]]:
    """Return a model that gives every tensor of the plan, and their names.

    A layer that is called several times is observed at its last call.
    """
    graph = LayerGraph.of(folded)
    wanted = RoundingPlan.of(graph).measured
    drawn: Json = {}
    layers: Json = {}

    def enter(image: KerasTensor) -> KerasTensor:
        drawn[IMAGE] = image
        return image

    def draw(call: LayerCall, *args: KerasTensor, **kwargs: object) -> KerasTensor:
        name = call.layer.name
        layers.setdefault(name, fresh(call.layer))
        drawn[name] = layers[name](*args, **kwargs)
        return drawn[name]

    plain = graph.redraw(draw, enter=enter)
    for name, layer in layers.items():
        if getattr(layer, "weights", None):
            take_weights(layer, graph.model.get_layer(name))
    names = [name for name in drawn if name in wanted]
    tensors = [drawn[name] for name in names]
    observed = need("keras").Model(plain.inputs[0], tensors)
    observed.jit_compile = False  # compiling takes longer than a few dozen pictures
    return observed, names


def _add(histogram: Histogram, name: str, values: Array) -> None:
    import numpy as np

    if not np.isfinite(values).all():
        raise ModelError(
            f"layer '{name}' gives values that are not finite on a calibration "
            "picture: its weights are broken"
        )
    histogram.add(values)


def _wrapped(layer: KerasLayer) -> KerasLayer:
    """Return a new layer of the same settings, its kernel rounded where it has one."""
    copy = fresh(layer)
    if type(layer).__name__ not in WEIGHTED:
        return copy
    wrapped = rounded_weights_layer()(copy)
    wrapped.trainable = layer.trainable
    return wrapped


def _inner(layer: KerasLayer) -> KerasLayer:
    return layer.layer if isinstance(layer, rounded_weights_layer()) else layer


def _round_kernel(layer: KerasLayer) -> None:
    with third_party():
        kernel, *others = layer.get_weights()
        layer.set_weights([weights_on_grid(kernel, channel_axes(layer)), *others])
