"""A whole Keras model as a start: its last 1x1 convolution gets the new classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need, third_party
from edgeseg.converter.training.start.batch_graph import Start
from edgeseg.converter.training.start.new_head import start_labels, swap_columns
from edgeseg.devices import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np

    from edgeseg.converter.frameworks import KerasLayer, KerasModel
    from edgeseg.converter.loading.format import Loaded

# What may stand between the last convolution and the output: no class is mixed there
_MOVERS = ("Resizing", "BilinearResize", "UpSampling2D", "Cropping2D")


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
        The output is not made by a 1x1 convolution, a softmax and resizes.
    """
    model = loaded.model
    last = _last_convolution(path, model)
    old = [value.copy() for value in last.get_weights()]
    bias = old[1] if last.use_bias else 0 * old[0][0, 0, 0]
    names = start_labels(path, labels, old[0].shape[-1])
    columns = swap_columns(old[0], bias, names, classes, rng)
    if tuple(names) == tuple(classes) and last.use_bias and _is_linear(model, last):
        new_model, note = model, "head as it was"
    else:
        new_model, layer = _redrawn(model, last, len(classes))
        layer.set_weights([columns.kernel, columns.bias])
        note = f"head copied for {', '.join(columns.copied) or 'no class'}"
    for layer in new_model.layers:
        layer.trainable = True  # the file may come from a training that froze some
    unknown = len(columns.copied) < len(classes)
    return Start(
        new_model,
        frozenset([last.name]) if unknown else frozenset(),
        settled=True,
        notes=(*loaded.notes, note),
        resize=loaded.resize,
    )


def _last_convolution(path: Path, model: KerasModel) -> KerasLayer:
    layer = model.output._keras_history.operation
    while type(layer).__name__ in (*_MOVERS, "Softmax", "Activation"):
        layer = layer.input._keras_history.operation
    if type(layer).__name__ != "Conv2D" or tuple(layer.kernel_size) != (1, 1):
        raise ModelError(
            f"{path}: the scores come from {layer.name!r} ({type(layer).__name__}), "
            "expected a 1x1 Conv2D, then at most a softmax and resizes: no head that "
            "could be given other classes"
        )
    return layer


def _is_linear(model: KerasModel, last: KerasLayer) -> bool:
    names = {type(layer).__name__ for layer in model.layers[-3:]}
    return last.activation.__name__ == "linear" and not names & {
        "Softmax",
        "Activation",
    }


def _redrawn(
    model: KerasModel, last: KerasLayer, classes: int
) -> tuple[KerasModel, KerasLayer]:
    """Return the model with another last convolution and no softmax, and that layer."""
    keras = need("keras")
    head = keras.layers.Conv2D(classes, 1, name=last.name)
    after = set()
    layer = model.output._keras_history.operation
    while layer is not last:
        after.add(layer.name)
        layer = layer.input._keras_history.operation

    def chosen(layer: KerasLayer) -> KerasLayer:
        if layer.name == last.name:
            return head
        if layer.name in after and type(layer).__name__ in ("Softmax", "Activation"):
            return keras.layers.Identity(name=layer.name)
        # resizes were built for another number of channels
        if layer.name in after:
            return type(layer).from_config(layer.get_config())
        return layer

    with third_party():
        image = keras.Input(batch_shape=model.input.shape, name="image")
        redrawn = keras.models.clone_model(
            model, input_tensors=image, clone_function=chosen
        )
    return redrawn, head
