"""The one file that knows where a TFLite interpreter comes from.

`ai_edge_litert` first, then `tflite_runtime` (the last one that a Coral's libedgetpu
matches), then `tensorflow.lite`; all three have the same Python interface.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices.base import TensorSpec
from edgeseg.devices.errors import MissingDriverError, ModelError
from edgeseg.devices.plain_text import one_line, reason_of
from edgeseg.devices.quiet import quiet
from edgeseg.devices.tflite_file.examination import examine

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.devices.types import Json, Module, Untyped

# distribution, module that holds Interpreter and OpResolverType
_CANDIDATES = (
    ("ai-edge-litert", "ai_edge_litert.interpreter"),
    ("tflite-runtime", "tflite_runtime.interpreter"),
    ("tensorflow", "tensorflow.lite.python.interpreter"),
)
# "TFL3" at byte 4 is the file identifier of a TensorFlow Lite flatbuffer
_IDENTIFIER = b"TFL3"


@dataclass(frozen=True)
class Runtime:
    """An interpreter package that is installed: its name, version and module."""

    name: str
    version: str
    module: Module


def find_runtime(fits: Callable[[str, str], bool] | None = None) -> Runtime:
    """Return the first interpreter package that can be imported.

    Parameters
    ----------
    fits : callable or None
        Takes a package's name and version and says whether it will do; the others
        are not imported. None takes any.

    Raises
    ------
    MissingDriverError
        None is installed.
    """
    for name, path in _CANDIDATES:
        if fits is not None and not _is_wanted(name, fits):
            continue
        try:
            with quiet():
                module = importlib.import_module(path)
        except ImportError:
            continue
        return Runtime(name, _version(name, path), module)
    raise MissingDriverError(
        "no TFLite interpreter found (looked for "
        + ", ".join(name for name, _ in _CANDIDATES)
        + "): pip install ai-edge-litert"
    )


def _version(name: str, path: str) -> str:
    """Return what an imported package says of itself, else what pip knows of it."""
    version = getattr(sys.modules[path.partition(".")[0]], "__version__", None)
    return str(version) if version else _installed_version(name)


def _installed_version(name: str) -> str:
    # brings modules for e-mail with it, half a megabyte that few runs need
    from importlib import metadata

    return metadata.version(name)


def _is_wanted(name: str, fits: Callable[[str, str], bool]) -> bool:
    from importlib import metadata

    try:
        return fits(name, _installed_version(name))
    except metadata.PackageNotFoundError:
        return False


def open_interpreter(
    model: Path | bytes,
    *,
    threads: int = 1,
    delegate: bool = True,
    keep_tensors: bool = False,
    runtime: Runtime | None = None,
    delegates: tuple[Untyped, ...] = (),
) -> Untyped:
    """Return an interpreter with the model loaded, its tensors not yet allocated.

    Parameters
    ----------
    model : Path or bytes
        A ``.tflite`` file, which is examined first, or the content of one that was
        made here.
    threads : int
        Threads that an inference may use.
    delegate : bool
        Whether the default CPU delegate (XNNPACK) may be applied.
    keep_tensors : bool
        Whether every tensor can be read after a run, at the cost of memory.
    runtime : Runtime or None
        The interpreter package; None takes `find_runtime`.
    delegates : tuple
        Delegates that the same package has loaded, applied first.

    Raises
    ------
    ModelError
        The file is missing, unreadable, or not a TFLite model.
    """
    chosen = runtime or find_runtime()
    module, resolver = chosen.module, chosen.module.OpResolverType
    content = model if isinstance(model, bytes) else read_model(model)
    if not isinstance(model, bytes):
        examine(content, str(model))
    try:
        with quiet(), warnings.catch_warnings():
            # the interpreter warns that keeping tensors takes memory: that is known
            warnings.simplefilter("ignore")
            return module.Interpreter(
                model_content=content,
                num_threads=threads,
                experimental_preserve_all_tensors=keep_tensors,
                experimental_delegates=list(delegates) or None,
                experimental_op_resolver_type=resolver.AUTO
                if delegate
                else resolver.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            )
    except (ValueError, RuntimeError) as error:
        name = "the model" if isinstance(model, bytes) else str(model)
        if delegates:
            raise ModelError(
                f"{name}: the delegate fails: {one_line(error)}"
            ) from error
        raise ModelError(
            f"{name} cannot be read as a TFLite model (truncated or damaged?): "
            f"{one_line(error)}"
        ) from error


def is_tflite(content: bytes) -> bool:
    """Return whether a file's content has the identifier of a TFLite flatbuffer."""
    return content[4:8] == _IDENTIFIER


def read_model(path: Path) -> bytes:
    """Return the bytes of a ``.tflite`` file, after a look at its identifier.

    Raises
    ------
    ModelError
        The file is missing, unreadable, or no TFLite flatbuffer.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read model {path}: {reason_of(error)}") from error
    if content[:4] == b"PK\x03\x04":
        raise ModelError(
            f"{path} is a ZIP archive, not a TFLite model: a .keras file must be "
            "converted first, see edgeseg convert --help"
        )
    if is_tflite(content):
        return content
    if path.suffix == ".onnx":
        raise ModelError(
            f"{path} is an .onnx file, expected .tflite: ONNX runs with --device "
            "desktop:onnx (processor) or jetson:tensorrt"
        )
    raise ModelError(
        f"{path} is not a TFLite model: expected the file identifier 'TFL3', "
        f"got {content[4:8]!r}"
    )


def tensor_specs(details: list[Json]) -> tuple[TensorSpec, ...]:
    """Return an interpreter's tensor details as specs."""
    return tuple(_spec(detail) for detail in details)


def _spec(detail: Json) -> TensorSpec:
    scale, zero_point = detail["quantization"]
    dtype = detail["dtype"].__name__
    if dtype.startswith("float"):
        scale = zero_point = 0  # a float tensor stores real values, whatever it says
    return TensorSpec(
        name=str(detail["name"]),
        shape=tuple(int(n) for n in detail["shape"]),
        dtype=dtype,
        scale=float(scale),
        zero_point=int(zero_point),
    )
