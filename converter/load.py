"""A .keras file to a Keras model of one fixed input shape."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

from edgeseg.converter._frameworks import need, third_party
from edgeseg.devices import ModelError
from edgeseg.devices._litert import one_line

if TYPE_CHECKING:
    from pathlib import Path

# What Keras raises on files that it cannot read or build
_UNREADABLE = (ValueError, TypeError, KeyError, OSError, AttributeError, ImportError)


def load_keras(path: Path) -> Any:
    """Return a segmentation model whose batch is 1 and whose size is fixed.

    Parameters
    ----------
    path : Path
        A ``.keras`` file. Files that would run code on loading are refused.

    Returns
    -------
    keras.Model
        Input ``(1, H, W, 3)``, output ``(1, h, w, C)`` scores, C >= 1.

    Raises
    ------
    ModelError
        The file is missing, damaged, no segmentation model, of variable size, or
        has weights that are not finite.
    """
    if not path.is_file():
        raise ModelError(f"cannot read model {path}: no such file")
    if not zipfile.is_zipfile(path):
        raise ModelError(
            f"{path} is not a .keras file (a ZIP archive): truncated, or another "
            "format? Save the model with model.save('NAME.keras')"
        )
    keras = need("keras")
    try:
        with third_party():
            model = keras.models.load_model(path, compile=False, safe_mode=True)
    except (*_UNREADABLE, zipfile.BadZipFile) as error:
        raise ModelError(f"Keras cannot load {path}: {one_line(error)}") from error
    height, width = _check_shapes(path, model)
    _check_weights(path, model)
    image = keras.Input(batch_shape=(1, height, width, 3), name="image")
    with third_party():
        return keras.Model(image, model(image, training=False), name="segmenter")


def single_channel_head(model: Any) -> str | None:
    """Return ``"probability"`` or ``"logit"`` for a model with one output channel.

    Parameters
    ----------
    model : keras.Model
        From `load_keras`; its network is the last layer.
    """
    if model.output.shape[-1] != 1:
        return None
    layer = model.layers[-1]
    while getattr(layer, "layers", None):
        layer = layer.layers[-1]
    activation = getattr(layer, "activation", None)
    name = getattr(activation, "__name__", "")
    return "probability" if name == "sigmoid" else "logit"


def _check_shapes(path: Path, model: Any) -> tuple[int, int]:
    inputs, outputs = (getattr(model, kind, None) for kind in ("inputs", "outputs"))
    shapes = [
        [tuple(tensor.shape) for tensor in tensors or ()]
        for tensors in (inputs, outputs)
    ]
    ins, outs = shapes
    if (
        [len(shape) for shape in ins] != [4]
        or [len(shape) for shape in outs] != [4]
        or ins[0][3] != 3
        or outs[0][3] is None
        or outs[0][3] > 256
    ):
        raise ModelError(
            f"{path} is no segmentation model: expected one input (batch, H, W, 3) and "
            f"one output (batch, h, w, classes up to 256), got {ins} to {outs}"
        )
    height, width = ins[0][1:3]
    if not height or not width:
        raise ModelError(
            f"{path} takes pictures of any size {ins[0]}: save it with a fixed input "
            "size, keras.Input((H, W, 3))"
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
