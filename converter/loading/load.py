"""A Keras model file of any format to one flat Keras model of fixed shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import third_party
from edgeseg.converter.loading.format import Loaded, Loading
from edgeseg.converter.loading.input_size import check_size, rebuild
from edgeseg.converter.loading.outputs import one_output, with_map
from edgeseg.devices import ModelError
from edgeseg.devices.plugins import PluginFolder
from edgeseg.runtime.model.tensors import COLOURS

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.converter.frameworks import KerasLayer, KerasModel
    from edgeseg.converter.loading.format import Format, RawModel


FORMATS = PluginFolder("model format", "edgeseg.converter.loading.formats")
# What moves or copies scores without computing new ones
_MOVERS = ("Resizing", "BilinearResize", "Resize", "UpSampling2D", "Cropping2D")
_DEFAULTS = Loading()
_MOST_CLASSES = 256  # class ids are uint8


def load_model(path: Path, loading: Loading = _DEFAULTS) -> Loaded:
    """Load a ``.keras`` file, an ``.h5`` file or a SavedModel folder.

    Parameters
    ----------
    path : Path
        The format is recognized by the content.
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
    # a file that can be run itself was read from the one output that is asked for
    wanted = loading.output_name if raw.original is None else None
    single, chosen = one_output(path, raw.model, wanted)
    own = _check_shapes(path, single)
    size = loading.size or _check_fixed(path, own)
    _check_weights(path, single)
    model = with_map(single) if raw.size_fixed else rebuild(single, size)
    notes = (*raw.notes, *chosen)
    return Loaded(model, raw.resize, notes, raw.manifest, raw.original)


def read_model(path: Path, loading: Loading) -> RawModel:
    """Read a model file of whichever format.

    Parameters
    ----------
    path : Path
        A file or folder.
    loading : Loading
        How.

    Raises
    ------
    ModelError
        There is no such file, no format claims it, or it cannot be used.
    InputError
        An option means nothing to this file.
    """
    if not path.exists():
        raise ModelError(f"cannot read model {path}: no such file")
    for name in FORMATS.names():
        candidate: Format = FORMATS.load(name)()
        if candidate.claims(path):
            return candidate.read(path, loading)
    raise _unknown(path)


def load_keras(path: Path) -> KerasModel:
    """Return the model of a file that needs no options; see `load_model`."""
    return load_model(path).model


def single_channel_head(model: KerasModel) -> str | None:
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


def _activation(operation: KerasLayer) -> object:
    return getattr(operation, "activation", None)


def _last_operation(model: KerasModel) -> KerasLayer:
    """Return what made the scores, looking through resizes and nested models."""
    for operation in reversed(model.operations):
        if getattr(operation, "operations", None):
            return _last_operation(operation)
        if type(operation).__name__ not in _MOVERS:
            return operation
    return model.operations[-1]


def _check_shapes(path: Path, model: KerasModel) -> tuple[int | None, ...]:
    """Return the model's own height and width, after a look at its tensors."""
    inputs, outputs = (getattr(model, kind, None) for kind in ("inputs", "outputs"))
    ins, outs = (
        [tuple(tensor.shape) for tensor in tensors or ()]
        for tensors in (inputs, outputs)
    )
    flat = len(outs) == 1 and len(outs[0]) in (2, 3) and len(ins) == 1
    if (
        [len(shape) for shape in ins] != [4]
        or (not flat and [len(shape) for shape in outs] != [4])
        or ins[0][3] not in COLOURS
        or (len(outs[0]) > 2 and not 0 < (outs[0][-1] or 0) <= _MOST_CLASSES)
    ):
        raise ModelError(
            f"{path} is no segmentation model: expected one input (batch, H, W, 3) and "
            f"one output (batch, h, w, classes up to {_MOST_CLASSES}), got {ins} to "
            f"{outs}"
        )
    dtype = str(model.outputs[0].dtype)
    if "int" in dtype:
        raise ModelError(
            f"{path} is no segmentation model: expected scores (float), got class ids "
            f"({dtype}) with no scores in front of them"
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


def _check_weights(path: Path, model: KerasModel) -> None:
    import numpy as np

    with third_party():
        weights = model.get_weights()
    for variable, values in zip(model.weights, weights, strict=True):
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ModelError(
                f"{path}: the weight {variable.path} holds values that are not finite: "
                "a training that diverged, a damaged file, or a quantization that went "
                "wrong; convert the model as it was before that"
            )


def _unknown(path: Path) -> ModelError:
    if path.is_dir():
        return ModelError(
            f"the folder {path} is no SavedModel: expected saved_model.pb in it"
        )
    if path.suffix.lower() in (".h5", ".hdf5"):
        return ModelError(
            f"{path} is not an HDF5 file: truncated, or another format? Save the model "
            "anew with model.save('NAME.keras')"
        )
    return ModelError(
        f"{path} is not a .keras file (a ZIP archive): truncated, or another "
        "format? Save the model with model.save('NAME.keras')"
    )
