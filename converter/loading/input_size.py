"""A network rebuilt for another input: batch 1, flat, of another size if wanted.

A fully convolutional network takes pictures of any size, but its graph was drawn for
one: some layers carry sizes of that drawing. Here the graph is drawn again with the
very same layers, hence the same weights; only what carries a size is made anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need, third_party
from edgeseg.converter.loading.grid_sizes import SizeChange
from edgeseg.converter.loading.open_sizes import check_open_size
from edgeseg.converter.loading.outputs import as_map
from edgeseg.devices import InputError
from edgeseg.devices.plain_text import one_line

if TYPE_CHECKING:
    from edgeseg.converter.frameworks import KerasLayer, KerasModel, KerasTensor

_MERGES = (
    "Add",
    "Average",
    "Concatenate",
    "Maximum",
    "Minimum",
    "Multiply",
    "Subtract",
)
_LEAST_SIDE, _MOST_SIDE = 16, 4096


def check_size(size: tuple[int, int]) -> None:
    """Raise `InputError` unless a size can be that of a picture.

    Parameters
    ----------
    size : (int, int)
        Height and width.
    """
    if not all(_LEAST_SIDE <= side <= _MOST_SIDE for side in size):
        raise InputError(
            f"expected --size with sides of {_LEAST_SIDE} to {_MOST_SIDE} pixels, got "
            f"{size[0]}x{size[1]}"
        )


def rebuild(model: KerasModel, size: tuple[int, int]) -> KerasModel:
    """Return a model on pictures ``(1, H, W, 3)``, its nested models laid flat.

    Parameters
    ----------
    model : keras.Model
        One input, one output. Not changed, but the layers are shared with it.
    size : (int, int)
        Height and width.

    Raises
    ------
    InputError
        The network does not take that size; the message names the layer, or the
        sizes near by that work.
    """
    sizes = SizeChange.of(model, size)
    sizes.check_corners()
    is_open = None in sizes.old and len(model.outputs[0].shape) == 4
    if is_open:
        check_open_size(lambda other: _output_of(model, other), size)
    image, scores = _drawn(model, sizes)
    scores = as_map(scores, size)
    if len(model.outputs[0].shape) == 4:
        sizes.check_output(model.outputs[0].shape, scores.shape)
    return need("keras").Model(image, scores, name="segmenter")


def _drawn(model: KerasModel, sizes: SizeChange) -> tuple[KerasTensor, KerasTensor]:
    """Return the input and the scores of a model drawn for another size."""
    keras = need("keras")
    colours = model.inputs[0].shape[-1]
    image = keras.Input(batch_shape=(1, *sizes.new, colours), name="image")
    with third_party():
        (scores,) = keras.tree.flatten(_Drawing(sizes).draw(model, image))
    return image, scores


def _output_of(model: KerasModel, size: tuple[int, int]) -> tuple[int, int]:
    height, width = _drawn(model, SizeChange.of(model, size))[1].shape[1:3]
    return int(height), int(width)


class _Drawing:
    """Calls each layer of a graph again, in order, on new tensors."""

    def __init__(self, sizes: SizeChange) -> None:
        self._sizes = sizes
        self._keras = need("keras")

    def draw(self, model: KerasModel, tensor: KerasTensor) -> KerasTensor:
        """Return the output of a model, a nested one included, on a tensor."""
        if isinstance(model, self._keras.Sequential):
            for layer in model.layers:
                tensor = self._call(layer, tensor)
            return tensor
        if not _is_functional(model):
            return self._plain_call(model, tensor)
        # a copy on an input of its own; calling its `call` draws every layer into
        # the graph at hand, where calling the copy would draw one box
        start = self._keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype)
        alike = self._keras.tree.map_structure
        copy = self._keras.models.clone_model(
            model,
            input_tensors=alike(lambda _: start, model.input),
            clone_function=lambda layer: layer,
            call_function=self._call,
        )
        return copy.call(alike(lambda _: tensor, model.input))

    def _call(
        self, layer: KerasLayer, *args: KerasTensor, **kwargs: object
    ) -> KerasTensor:
        if type(layer).__name__ == "ConvertToTensor":
            return args[0]  # of a copied graph; Keras draws another of the same name
        if _is_nested(layer) and len(args) == 1:
            tensors = self._keras.tree.flatten(args)
            if len(tensors) == len(layer.inputs) == 1:
                return self.draw(layer, tensors[0])
        return self._plain_call(self._sizes.fitted(layer, args), *args, **kwargs)

    def _plain_call(
        self, layer: KerasLayer, *args: KerasTensor, **kwargs: object
    ) -> KerasTensor:
        try:
            return layer(*args, **kwargs)
        except (ValueError, TypeError, RuntimeError) as error:
            if self._sizes.unchanged:
                raise
            if type(layer).__name__ in _MERGES:
                raise self._sizes.broken_stride(f"'{layer.name}' cannot join") from None
            raise InputError(
                f"layer '{layer.name}' ({type(layer).__name__}) only takes the input "
                f"size {self._sizes.old_text}, not {self._sizes.new_text}: "
                f"{one_line(error, 120)}"
            ) from error


def _is_nested(layer: KerasLayer) -> bool:
    return _is_functional(layer) or isinstance(layer, need("keras").Sequential)


def _is_functional(model: KerasModel) -> bool:
    """Return whether a model is a graph of operations, rather than code."""
    return bool(getattr(model, "operations", None))
