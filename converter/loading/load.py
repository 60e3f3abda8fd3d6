"""A Keras model file of any format to one flat Keras model of fixed shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeseg.converter.frameworks import third_party
from edgeseg.converter.loading.loading import Loaded, Loading
from edgeseg.converter.loading.read import read_model
from edgeseg.converter.loading.retarget import check_size, rebuild
from edgeseg.devices import ModelError

if TYPE_CHECKING:
    from pathlib import Path

# What moves or copies scores without computing new ones
_MOVERS = ("Resizing", "BilinearResize", "Resize", "UpSampling2D", "Cropping2D")
_DEFAULTS = Loading()
_MOST_CLASSES = 256  # class ids are uint8


def load_model(path: Path, loading: Loading = _DEFAULTS) -> Loaded:
    """Load a ``.keras`` file, an ``.h5`` file or a SavedModel folder.

    Parameters
    ----------
    path : Path
        The content tells the format.
    loading : Loading
        How.

    Raises
    ------
    ModelError
        The file is missing, damaged, no segmentation model, of variable size, would
        run code, or has weights that are not finite.
    InputError
        An option does not fit the file, or the size does not fit the network.
    """
    if loading.size is not None:
        check_size(loading.size)
    raw = read_model(path, loading)
    own = _check_shapes(path, raw.model)
    size = loading.size or _check_fixed(path, own)
    _check_weights(path, raw.model)
    model = raw.model if raw.size_fixed else rebuild(raw.model, size)
    return Loaded(model, raw.resize, raw.notes)


def load_keras(path: Path) -> Any:
    """Return the model of a file that needs no options; see `load_model`."""
    return load_model(path).model


def single_channel_head(model: Any) -> str | None:
    """Return ``"probability"`` or ``"logit"`` for a model with one output channel.

    Parameters
    ----------
    model : keras.Model
        From `load_model`.
    """
    if model.output.shape[-1] != 1:
        return None
    last = _last_operation(model)
    names = (type(last).__name__, getattr(_activation(last), "__name__", ""))
    return "probability" if "sigmoid" in " ".join(names).lower() else "logit"


def _activation(operation: Any) -> Any:
    return getattr(operation, "activation", None)


def _last_operation(model: Any) -> Any:
    """Return what made the scores, looking through resizes and nested models."""
    for operation in reversed(model.operations):
        if getattr(operation, "operations", None):
            return _last_operation(operation)
        if type(operation).__name__ not in _MOVERS:
            return operation
    return model.operations[-1]


def _check_shapes(path: Path, model: Any) -> tuple[int | None, ...]:
    """Return the model's own height and width, after a look at its tensors."""
    inputs, outputs = (getattr(model, kind, None) for kind in ("inputs", "outputs"))
    ins, outs = (
        [tuple(tensor.shape) for tensor in tensors or ()]
        for tensors in (inputs, outputs)
    )
    if (
        [len(shape) for shape in ins] != [4]
        or [len(shape) for shape in outs] != [4]
        or ins[0][3] != 3
        or outs[0][3] is None
        or outs[0][3] > _MOST_CLASSES
    ):
        raise ModelError(
            f"{path} is no segmentation model: expected one input (batch, H, W, 3) and "
            f"one output (batch, h, w, classes up to {_MOST_CLASSES}), got {ins} to "
            f"{outs}"
        )
    return ins[0][1:3]


def _check_fixed(path: Path, size: tuple[int | None, ...]) -> tuple[int, int]:
    height, width = size
    if not height or not width:
        raise ModelError(
            f"{path} takes pictures of any size {size}: choose one with --size HxW, or "
            "save it with a fixed input size, keras.Input((H, W, 3))"
        )
    return int(height), int(width)


def _check_weights(path: Path, model: Any) -> None:
    import numpy as np

    with third_party():
        weights = model.get_weights()
    for variable, values in zip(model.weights, weights, strict=True):
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ModelError(
                f"{path}: the weight {variable.path} holds values that are not finite"
            )
