"""Weights of a Keras 2 HDF5 file, by layer name: read whole, matched without a rest.

Keras 2 stores a group for each layer, listed in ``layer_names``, and in each the
arrays listed in ``weight_names``, such as ``Conv/kernel:0``. Keras 3 calls the kernel
of a depthwise convolution ``kernel``, Keras 2 ``depthwise_kernel``; all other names
are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need, third_party
from edgeseg.devices import ModelError
from edgeseg.devices.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.converter.frameworks import Hdf5Object, KerasModel

    Weights = dict[str, dict[str, NDArray[np.float32]]]

# What h5py raises on damaged files
_UNREADABLE = (OSError, KeyError, RuntimeError, ValueError, TypeError, AttributeError)
# Other names of a layer, and its name in the networks here
_ALIASES = {"custom_logits_semantic": "logits_semantic"}


def is_release_layout(path: Path) -> bool:
    """Return whether a file is HDF5 with the weights of named layers and no model.

    Parameters
    ----------
    path : Path
        Any file; nothing but its header and its root attributes is read.
    """
    h5py = need("h5py")
    try:
        if not h5py.is_hdf5(path):
            return False
        with h5py.File(path, "r") as file:
            names = {"layer_names", "layer_names0"}
            return bool(names & set(file.attrs)) and "model_config" not in file.attrs
    except _UNREADABLE:
        return False


def read_weights(path: Path) -> Weights:
    """Return every array of a release-layout file.

    Parameters
    ----------
    path : Path
        See `is_release_layout`.

    Returns
    -------
    dict of str to dict of str to ndarray
        Layer name to weight name (``kernel``, ``gamma``, ...) to float32 array;
        layers without weights are left out.

    Raises
    ------
    ModelError
        The file is missing, damaged, of another layout, or holds values that are not
        finite.
    """
    if not path.is_file():
        raise ModelError(f"cannot read weights {path}: no such file")
    if not is_release_layout(path):
        raise ModelError(
            f"{path} is no weights-only HDF5 file of Keras 2 (attribute 'layer_names', "
            "no 'model_config'): damaged, or a whole model? Load that as a model"
        )
    try:
        with need("h5py").File(path, "r") as file:
            groups = {name: file[name] for name in _names(file, "layer_names")}
            weights = {name: _read_layer(group) for name, group in groups.items()}
    except _UNREADABLE as error:
        raise ModelError(
            f"cannot read weights {path}: damaged? {one_line(error)}"
        ) from error
    _check_finite(path, weights)
    return {name: arrays for name, arrays in _renamed(weights).items() if arrays}


def kernel_shapes(weights: Weights) -> dict[str, tuple[int, ...]]:
    """Return the shape of each layer's kernel, by layer name."""
    return {
        layer: arrays["kernel"].shape
        for layer, arrays in weights.items()
        if "kernel" in arrays and arrays["kernel"].ndim and arrays["kernel"].size
    }


def assign(model: KerasModel, weights: Weights, path: Path) -> None:
    """Set every weight of a model from a file, and use every weight of the file.

    Parameters
    ----------
    model : keras.Model
        Its layers have the names of the file's.
    weights : dict
        From `read_weights`.
    path : Path
        The file, for messages.

    Raises
    ------
    ModelError
        A layer or weight is missing, left over, or of another shape; the message
        names it, both shapes and the likely cause. The model is then unchanged.
    """
    expected = {
        layer.name: {variable.name: variable for variable in layer.weights}
        for layer in model.layers
        if layer.weights
    }
    _check_names(path, expected, weights)
    for layer, variables in expected.items():
        shapes = {name: tuple(v.shape) for name, v in variables.items()}
        got = {name: array.shape for name, array in weights[layer].items()}
        if shapes != got:
            raise ModelError(_mismatch(path, layer, shapes, got))
    with third_party():
        for layer, variables in expected.items():
            for name, variable in variables.items():
                variable.assign(weights[layer][name])


def _check_names(
    path: Path, expected: Mapping[str, object], got: Mapping[str, object]
) -> None:
    missing = [layer for layer in expected if layer not in got]
    extra = [layer for layer in got if layer not in expected]
    if missing:
        raise ModelError(
            f"{path} lacks {len(missing)} layers of the network, such as "
            f"{_few(missing)}: {_cause(missing)}?"
        )
    if extra:
        raise ModelError(
            f"{path} has {len(extra)} layers that the network does not, such as "
            f"{_few(extra)}: {_cause(extra)}?"
        )


def _mismatch(path: Path, layer: str, expected: object, got: object) -> str:
    return (
        f"{path}: the layer {layer!r} should hold {expected}, the file has {got}: "
        f"{_cause([layer], shapes=True)}?"
    )


def _cause(layers: list[str], *, shapes: bool = False) -> str:
    """Return the likely reason why these layers do not match."""
    first = layers[0]
    if first.startswith(("decoder_", "feature_projection")):
        return "another decoder" if shapes else "DeepLabv3 and not v3+ (no decoder)"
    if first.startswith("logits"):
        return "another number of classes, or a head of another network"
    if first.startswith(("aspp", "concat_projection", "image_pooling")):
        return "another atrous pyramid, or another backbone"
    return "another alpha (width), or another backbone"


def _few(names: list[str]) -> str:
    return ", ".join(map(repr, names[:3]))


def _names(node: Hdf5Object, key: str) -> list[str]:
    """Return a list attribute, which Keras splits into ``key0``, ... where long."""
    attributes, names, part = node.attrs, list(node.attrs.get(key, ())), 0
    while f"{key}{part}" in attributes:
        names += list(attributes[f"{key}{part}"])
        part += 1
    return [n.decode("utf-8") if isinstance(n, bytes) else str(n) for n in names]


def _read_layer(group: Hdf5Object) -> dict[str, NDArray[np.float32]]:
    import numpy as np

    arrays = {}
    for name in _names(group, "weight_names"):
        short = name.rsplit("/", 1)[-1].split(":")[0]
        key = "kernel" if short == "depthwise_kernel" else short
        arrays[key] = np.asarray(group[name][()], dtype=np.float32)
    return arrays


def _renamed(weights: Weights) -> Weights:
    return {
        name if (other := _ALIASES.get(name, name)) in weights else other: arrays
        for name, arrays in weights.items()
    }


def _check_finite(path: Path, weights: Weights) -> None:
    import numpy as np

    for layer, arrays in weights.items():
        for name, array in arrays.items():
            if not np.isfinite(array).all():
                raise ModelError(
                    f"{path}: {name!r} of the layer {layer!r} holds values that are "
                    "not finite: a damaged file, or a training that diverged"
                )
