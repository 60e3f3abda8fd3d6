"""One set of weights, two graphs: many pictures to train on, one for the board."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from edgeseg.converter.frameworks import need, third_party
from edgeseg.devices import InputError

if TYPE_CHECKING:
    from edgeseg.converter.training.start.network import Start


def training_graph(start: Start) -> Any:
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
def _settled_class() -> Any:
    model: Any = need("keras").Model

    class Settled(model):  # type: ignore[misc]
        """A model that computes as in inference, while it is trained too.

        ``training=False`` within a functional graph would not do: the outer call's
        ``training=True`` reaches every layer of it.

        Parameters
        ----------
        inner : keras.Model
            What computes.
        """

        def __init__(self, inner: Any) -> None:
            super().__init__(name="settled")
            self.inner = inner
            self.built = True

        def call(self, inputs: Any, training: bool | None = None) -> Any:
            return self.inner(inputs, training=False)

    return Settled


def freeze_until(model: Any, name: str) -> int:
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
