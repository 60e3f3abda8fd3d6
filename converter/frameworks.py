"""TensorFlow, Keras and the quantizer: imported late, quietly, or named as missing."""

from __future__ import annotations

import importlib
import importlib.util
import os
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edgeseg.devices import MissingDriverError
from edgeseg.devices.machine_code import unloadable
from edgeseg.devices.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TypeAlias

    from edgeseg.devices.types import Module

    # Keras, TensorFlow, h5py, ONNX and LiteRT's schema come without types: these names
    # say what is meant, and mypy cannot check it
    KerasModel: TypeAlias = Any  # keras.Model
    KerasLayer: TypeAlias = Any  # keras.layers.Layer or keras.Operation
    KerasTensor: TypeAlias = Any  # keras.KerasTensor, or a tensor of Keras' backend
    KerasClass: TypeAlias = Any  # a class of Keras, or one that is derived from it
    KerasOptimizer: TypeAlias = Any  # keras.optimizers.Optimizer
    GraphDef: TypeAlias = Any  # TensorFlow's GraphDef or MetaGraphDef
    NodeDef: TypeAlias = Any  # of a GraphDef
    ProtobufMessage: TypeAlias = Any  # any other part of a GraphDef
    TfFunction: TypeAlias = Any  # tf.ConcreteFunction
    CheckpointReader: TypeAlias = Any  # of tf.train.load_checkpoint
    Hdf5Object: TypeAlias = Any  # h5py.File, Group, Dataset or a link
    OnnxMessage: TypeAlias = Any  # onnx.ModelProto or a part of it
    FlatTable: TypeAlias = Any  # a table of TensorFlow Lite's schema, such as TensorT
    FlatOperator: TypeAlias = Any  # its OperatorT
    FlatBuilder: TypeAlias = Any  # flatbuffers.Builder

_EXTRA = ("tensorflow", "keras", "ai_edge_quantizer")
_HINT = "pip install 'edgeseg[convert]'"
_ONNX_EXTRA = ("tf2onnx", "onnx", "onnxruntime")
_ONNX_HINT = "pip install 'edgeseg[convert,onnx]'"


def require_extra() -> None:
    """Raise at once, importing nothing, where the extra ``convert`` is missing.

    Raises
    ------
    MissingDriverError
        One of its packages is not installed.
    """
    _require(_EXTRA, f"conversion needs the workstation extra ({{}}): {_HINT}")


def require_onnx_extra() -> None:
    """Do the same for the extra ``onnx``."""
    _require(_ONNX_EXTRA, f"--format onnx needs the extra `onnx` ({{}}): {_ONNX_HINT}")


def _require(packages: tuple[str, ...], text: str) -> None:
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingDriverError(text.format(f"{', '.join(missing)} not installed"))


@contextmanager
def third_party() -> Iterator[None]:
    """Hold back what TensorFlow, Keras and the quantizer print and warn of."""
    with quiet(stdout=True), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def need(name: str) -> Module:
    """Import a module of the extra ``convert``.

    Parameters
    ----------
    name : str
        Such as ``keras``.

    Raises
    ------
    MissingDriverError
        It, or something it needs, is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # neither read the user's keras.json, which changes what is built, nor write one
    os.environ.setdefault("KERAS_HOME", os.devnull)
    if name == "keras":
        backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        if backend == "tensorflow":
            need("tensorflow")
    return _imported(name, _HINT)


def need_onnx(name: str) -> Module:
    """Import a module of the extra ``onnx``; see `need`."""
    need("tensorflow")  # which tf2onnx imports, not quietly
    return _imported(name, _ONNX_HINT)


def _imported(name: str, hint: str) -> Module:
    try:
        with third_party():
            return importlib.import_module(name)
    except ImportError as error:
        if (error.name or "").startswith("edgeseg"):
            raise
        reason = unloadable(error)
        if reason is not None:  # it is installed
            raise MissingDriverError(reason) from error
        raise MissingDriverError(
            f"this needs a workstation extra ({error.name or name} is missing): {hint}"
        ) from error
