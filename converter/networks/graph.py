"""A Keras model as a list of calls, to be drawn again with changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need, third_party
from edgeseg.devices import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edgeseg.converter.frameworks import KerasLayer, KerasModel, KerasTensor
    from edgeseg.devices.types import Array, Json


@dataclass(frozen=True)
class LayerCall:
    """One use of a layer.

    Parameters
    ----------
    layer : keras.Layer or keras.Operation
        A copy of the model's, of the same name and settings, without its weights;
        with `share_layers` the model's own.
    args, kwargs : tuple, dict
        What it was called with; tensors are ``keras.KerasTensor``.
    output : keras.KerasTensor
        What it returned.
    """

    layer: KerasLayer
    args: tuple[KerasTensor, ...]
    kwargs: Json
    output: KerasTensor

    @cached_property
    def inputs(self) -> list[KerasTensor]:
        """The tensors that it reads, in order."""
        keras = need("keras")
        leaves = keras.tree.flatten((self.args, self.kwargs))
        return [leaf for leaf in leaves if isinstance(leaf, keras.KerasTensor)]


@dataclass(frozen=True)
class LayerGraph:
    """The calls of a functional model with one input and one output.

    Parameters
    ----------
    model : keras.Model
        Where the weights are.
    name : str
        Of the input.
    start, end : keras.KerasTensor
        Input and output.
    calls : tuple of LayerCall
        In an order in which they can be made.
    """

    model: KerasModel
    name: str
    start: KerasTensor
    end: KerasTensor
    calls: tuple[LayerCall, ...]

    @classmethod
    def of(cls, model: KerasModel, *, share_layers: bool = False) -> LayerGraph:
        """Return the graph of a model, which stays as it is.

        Parameters
        ----------
        model : keras.Model
            Functional or a chain of layers, such as `load_model` gives it.
        share_layers : bool
            Whether its calls hold the model's own layers, weights included, rather
            than copies.

        Raises
        ------
        ModelError
            The model is code rather than a graph, has several inputs or outputs, or
            holds other models.
        """
        keras = need("keras")
        if isinstance(model, keras.Sequential) and model.built:
            model = keras.Model(model.inputs, model.outputs, name=model.name)
        _check(model)
        calls: list[LayerCall] = []

        def record(
            layer: KerasLayer, *args: KerasTensor, **kwargs: object
        ) -> KerasTensor:
            # left where a nested model was laid flat: does nothing, and a second of
            # its name would keep a saved file from being loaded
            if type(layer).__name__ == "ConvertToTensor":
                return args[0]
            output = layer(*args, **kwargs)
            calls.append(LayerCall(layer, args, kwargs, output))
            return output

        with third_party():
            copy = keras.models.clone_model(
                model,
                clone_function=_itself if share_layers else fresh,
                call_function=record,
            )
        return cls(
            model, _input_name(model), copy.inputs[0], copy.outputs[0], tuple(calls)
        )

    def readers(self, tensor: KerasTensor) -> list[LayerCall]:
        """Return the calls that read a tensor, one entry a read."""
        return [c for c in self.calls for read in c.inputs if read is tensor]

    def only_reader(self, tensor: KerasTensor) -> LayerCall | None:
        """Return the call that alone reads a tensor, None where there is no such."""
        readers = self.readers(tensor)
        alone = len(readers) == 1 and tensor is not self.end
        return readers[0] if alone else None

    def maker(self, tensor: KerasTensor) -> LayerCall | None:
        """Return the call that made a tensor, None for the input."""
        return next((c for c in self.calls if c.output is tensor), None)

    def times_called(self, name: str) -> int:
        """Return how often the layer of a name is used."""
        return sum(call.layer.name == name for call in self.calls)

    def redraw(
        self,
        draw: Callable[..., KerasTensor],
        *,
        enter: Callable[[KerasTensor], KerasTensor] | None = None,
        batch_size: int | None = None,
    ) -> KerasModel:
        """Return a new model, drawn call by call.

        Parameters
        ----------
        draw : callable
            Called with a `LayerCall` and with its arguments on the new tensors; returns
            the new output.
        enter : callable or None
            What is done to the new input before anything reads it.
        batch_size : int or None
            Of the new input; None is that of the old one, which may be any.

        Returns
        -------
        keras.Model
            Its layers have the weights that `draw` gave them; see `take_weights`.
        """
        keras = need("keras")
        with third_party():
            start = keras.Input(
                batch_shape=(batch_size or self.start.shape[0], *self.start.shape[1:]),
                dtype=self.start.dtype,
                name=self.name,
            )
            drawn = {id(self.start): start if enter is None else enter(start)}
            for call in self.calls:
                args, kwargs = keras.tree.map_structure(
                    lambda leaf: drawn.get(id(leaf), leaf), (call.args, call.kwargs)
                )
                drawn[id(call.output)] = draw(call, *args, **kwargs)
            return keras.Model(start, drawn[id(self.end)], name=self.model.name)

    def copy(
        self,
        changed: Mapping[str, Sequence[Array]] | None = None,
        *,
        batch_size: int | None = None,
    ) -> KerasModel:
        """Return the same network on layers of its own, some with other weights.

        Parameters
        ----------
        changed : mapping of str to sequence of ndarray, or None
            Weights by the layer's name; a ``Conv2D`` may have another number of
            filters in them. All others are copied.
        batch_size : int or None
            See `redraw`.
        """
        changed = changed or {}
        layers: dict[str, KerasLayer] = {}

        def draw(call: LayerCall, *args: KerasTensor, **kwargs: object) -> KerasTensor:
            name = call.layer.name
            if name not in layers:
                filters = {}
                if name in changed and type(call.layer).__name__ == "Conv2D":
                    filters["filters"] = changed[name][0].shape[3]
                layers[name] = fresh(call.layer, **filters)
            return layers[name](*args, **kwargs)

        copy = self.redraw(draw, batch_size=batch_size)
        for name, layer in layers.items():
            if name in changed:
                layer.set_weights(changed[name])
            elif getattr(layer, "weights", None):
                take_weights(layer, self.model.get_layer(name))
        return copy


def fresh(layer: KerasLayer, **changes: object) -> KerasLayer:
    """Return a new layer of the same settings; an operation without state as it is.

    Parameters
    ----------
    layer : keras.Layer or keras.Operation
        What to copy; nested layers are copied too, weights are not.
    **changes
        Settings that the copy has instead.
    """
    if not isinstance(layer, need("keras").Layer):
        return layer
    copy = type(layer).from_config({**layer.get_config(), **changes})
    copy.trainable = layer.trainable
    return copy


def take_weights(layer: KerasLayer, source: KerasLayer) -> None:
    """Give a layer the weights of another of the same settings."""
    with third_party():
        layer.set_weights(source.get_weights())


def _itself(layer: KerasLayer) -> KerasLayer:
    return layer


def _input_name(model: KerasModel) -> str:
    kind = need("keras").layers.InputLayer
    return next(str(o.name) for o in model.operations if isinstance(o, kind))


def _check(model: KerasModel) -> None:
    keras = need("keras")
    if not getattr(model, "operations", None):
        raise ModelError(
            f"expected a functional Keras model, got {type(model).__name__}: a model "
            "written as code cannot be drawn again"
        )
    counts = len(model.inputs), len(model.outputs)
    if counts != (1, 1):
        raise ModelError(
            "expected a model with one input and one output, got "
            f"{counts[0]} and {counts[1]}"
        )
    nested = [o.name for o in model.operations if isinstance(o, keras.Model)]
    if nested:
        raise ModelError(
            f"expected a flat model, got one that holds the model '{nested[0]}': load "
            "it with --size HxW (load_model), which lays nested models flat"
        )
