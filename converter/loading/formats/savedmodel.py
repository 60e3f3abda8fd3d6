"""SavedModel: a folder with a TensorFlow graph and its variables."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from edgeseg.converter._frameworks import need, third_party
from edgeseg.converter.loading.formats._base import (
    UNREADABLE,
    Format,
    RawModel,
    cannot_load,
    refuse_options,
)
from edgeseg.converter.loading.graph_ops import outward_operators, reaching_operators
from edgeseg.devices import InputError, ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.converter.loading.load import Loading

_SIGNATURES = ("serving_default", "serve")


class SavedModel(Format):
    """The format of ``model.export("DIR")`` and of TensorFlow."""

    name = "savedmodel"

    def claims(self, path: Path) -> bool:
        """Return whether the folder holds a graph."""
        return path.is_dir() and (path / "saved_model.pb").is_file()

    def read(self, path: Path, loading: Loading) -> RawModel:
        """Return a model of one layer that runs the graph's signature."""
        refuse_options(path, loading)
        found = reaching_operators(path)
        if found and not loading.trust:
            raise _outward(path, found)
        tf = need("tensorflow")
        try:
            with third_party():
                loaded = tf.saved_model.load(str(path))
        except (*UNREADABLE, tf.errors.OpError) as error:
            raise cannot_load(path, error) from error
        name, function = _signature(path, loaded)
        found = outward_operators(function)
        if found and not loading.trust:
            raise _outward(path, found)
        size = _size(path, _image_shape(path, function), loading.size)
        try:
            with third_party():
                model = _wrapped(path, name, function, size)
        except (*UNREADABLE, tf.errors.OpError) as error:
            raise cannot_load(path, error) from error
        notes = (f"runs the signature '{name}' of the SavedModel",)
        return RawModel(model, notes=notes, size_fixed=True)


PLUGIN = SavedModel


def _signature(path: Path, loaded: Any) -> tuple[str, Any]:
    known = sorted(loaded.signatures)
    chosen = [name for name in _SIGNATURES if name in known]
    if not chosen and len(known) == 1:
        chosen = known
    if not chosen:
        raise ModelError(
            f"{path} has no signature {' or '.join(_SIGNATURES)}, got "
            f"{', '.join(known) or 'none'}: save it with model.export('DIR')"
        )
    function = loaded.signatures[chosen[0]]
    if len(function.structured_outputs) != 1:
        raise ModelError(
            f"{path} is no segmentation model: expected one output, got "
            f"{', '.join(sorted(function.structured_outputs))}"
        )
    return chosen[0], function


def _image_shape(path: Path, function: Any) -> list[int | None]:
    """Return height and width that a signature takes; None is any."""
    specs = list(function.structured_input_signature[1].values())
    spec = specs[0] if len(specs) == 1 else None
    shape = None if spec is None or spec.shape.rank is None else spec.shape.as_list()
    if (
        spec is None
        or shape is None
        or len(shape) != 4
        or shape[0] not in (None, 1)
        or shape[3] not in (None, 3)
        or spec.dtype.name != "float32"
    ):
        got = ", ".join(f"{one.dtype.name} {one.shape}" for one in specs) or "none"
        raise ModelError(
            f"{path} is no segmentation model: expected one float32 input (1, H, W, 3),"
            f" got {got}"
        )
    return list(shape[1:3])


def _size(
    path: Path, own: list[int | None], wanted: tuple[int, int] | None
) -> tuple[int, int]:
    height, width = own if wanted is None else wanted
    if not height or not width:
        raise ModelError(
            f"{path} takes pictures of any size: choose one with --size HxW"
        )
    if own[0] not in (None, height) or own[1] not in (None, width):
        raise InputError(
            f"the graph in {path} was saved for {own[0]}x{own[1]} alone and cannot be "
            f"drawn again for {height}x{width}: export it with that size"
        )
    return height, width


def _wrapped(path: Path, name: str, function: Any, size: tuple[int, int]) -> Any:
    """Return a Keras model around the signature, its output shape found by running."""
    keras, tf = need("keras"), need("tensorflow")
    argument = next(iter(function.structured_input_signature[1]))
    zeros = tf.zeros((1, *size, 3), tf.float32)
    shape = tuple(next(iter(function(**{argument: zeros}).values())).shape)
    image = keras.Input(batch_shape=(1, *size, 3), name="image")
    layer = _graph_layer()(str(path), name, shape)
    return keras.Model(image, layer(image), name="segmenter")


@cache
def _graph_layer() -> Any:
    layer: Any = need("keras").layers.TFSMLayer

    class SavedGraph(layer):  # type: ignore[misc]
        """A SavedModel's signature with one output of known shape."""

        def __init__(self, path: str, endpoint: str, shape: tuple[int, ...]) -> None:
            super().__init__(path, call_endpoint=endpoint, name="saved_graph")
            self.shape = shape

        def call(self, inputs: Any) -> Any:
            output = next(iter(super().call(inputs).values()))
            output = need("tensorflow").identity(output)
            output.set_shape(self.shape)
            return output

        def compute_output_shape(self, input_shape: Any) -> tuple[int, ...]:
            return self.shape

    return SavedGraph


def _outward(path: Path, operators: list[str]) -> ModelError:
    return ModelError(
        f"the graph in {path} reaches outside it, for files, Python or the network, "
        f"with {', '.join(operators)}; if you know who made it, allow that with "
        "--trust-model"
    )
