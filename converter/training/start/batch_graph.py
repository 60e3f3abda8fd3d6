"""The network that a training changes: one set of weights, two graphs.

One graph takes batches to train on, the other a single picture, as the board does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need, third_party
from edgeseg.devices import InputError

if TYPE_CHECKING:
    from edgeseg.converter.frameworks import KerasClass, KerasModel, KerasTensor


@dataclass(frozen=True)
class Start:
    """A network of batch 1 with its weights for the new classes.

    Parameters
    ----------
    model : keras.Model
        Input ``(1, H, W, 3)`` float32 -1..1, output ``(1, h, w, C)`` logits.
    new_layers : frozenset of str
        Layers that know nothing yet and take large steps.
    settled : bool
        Batch norms have statistics of their own, which must stay as they are.
    notes : tuple of str
        What was copied, added or assumed.
    resize : str or None
        Alignment of the output's grid, where the file says it.
    rounded : bool
        It rounds as int8 does; see `through_int8`.
    """

    model: KerasModel
    new_layers: frozenset[str]
    settled: bool
    notes: tuple[str, ...] = field(default=())
    resize: str | None = None
    rounded: bool = False


def training_graph(start: Start) -> KerasModel:
    """Return a network for batches of any length on the layers of a start.

    Norms with statistics of their own stay in inference mode, whatever a trainer asks
    for: only their scale and shift learn. The shared public weights need that; their
    norms have mean 0 and variance 1 because the statistics went into the biases.

    Parameters
    ----------
    start : Start
        Its layers are shared, and so are their weights.
    """
    keras = need("keras")
    with third_party():
        shape = start.model.input.shape[1:]
        many = keras.models.clone_model(
            start.model,
            input_tensors=keras.Input(shape, name="image"),
            clone_function=lambda layer: layer,
        )
        return _settled_class()(many) if start.settled else many


@cache
def _settled_class() -> KerasClass:
    model: KerasModel = need("keras").Model

    class Settled(model):  # type: ignore[misc]
        """A model that computes as in inference, while it is trained too.

        ``training=False`` within a functional graph would not do: the outer call's
        ``training=True`` reaches every layer of it.

        Parameters
        ----------
        inner : keras.Model
            What computes.
        """

        def __init__(self, inner: KerasModel) -> None:
            super().__init__(name="settled")
            self.inner = inner
            self.built = True

        def call(
            self, inputs: KerasTensor, training: bool | None = None
        ) -> KerasTensor:
            return self.inner(inputs, training=False)

    return Settled


def freeze_until(model: KerasModel, name: str) -> int:
    """Freeze a network's layers up to one, itself included.

    Parameters
    ----------
    model : keras.Model
        A flat network.
    name : str
        Of the last layer to freeze.

    Returns
    -------
    int
        Number of layers with weights that are frozen.

    Raises
    ------
    InputError
        There is no layer of that name.
    """
    names = [layer.name for layer in model.layers]
    if name not in names:
        some = [layer.name for layer in model.layers if layer.weights]
        raise InputError(
            f"no layer {name!r} to freeze until; some that there are: "
            f"{', '.join(some[:: max(1, len(some) // 8)])}"
        )
    frozen = model.layers[: names.index(name) + 1]
    for layer in frozen:
        layer.trainable = False
    return sum(bool(layer.weights) for layer in frozen)
