"""An ``.onnx`` model in ONNX Runtime, on one named provider and no other."""

from __future__ import annotations

import importlib
import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices.base import Device, SpecifiedDevice, TensorSpec, check_tensors
from edgeseg.devices.errors import MissingDriverError, ModelError
from edgeseg.devices.first_inference import try_first_inference
from edgeseg.devices.litert import is_tflite
from edgeseg.devices.plain_text import one_line, reason_of
from edgeseg.devices.profile import DeviceUnit, Found
from edgeseg.devices.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.devices.types import Array, Json, Module, Untyped

PROCESSOR_UNIT = DeviceUnit(
    "onnx", "an .onnx file through ONNX Runtime on the processor", placement="onnx"
)
_PROCESSOR = "CPUExecutionProvider"
# what a build with TensorRT has beside its extension module
_TENSORRT_LIBRARY = Path("capi", "libonnxruntime_providers_tensorrt.so")
_DTYPES = {
    "float": "float32",
    "float16": "float16",
    "double": "float64",
    "uint8": "uint8",
    "int8": "int8",
    "int32": "int32",
    "int64": "int64",
}


class OnnxDevice(SpecifiedDevice):
    """Inference through ONNX Runtime.

    ONNX Runtime gives what a provider does not take to the processor without a word:
    here that is an error.

    Parameters
    ----------
    model : Path
        An ``.onnx`` file with fixed shapes.
    name : str
        What `describe` calls the device.
    provider : str
        ONNX Runtime's name, such as ``"TensorrtExecutionProvider"``.
    options : dict
        The provider's options.
    threads : int
        Threads of an inference on the processor.

    Raises
    ------
    ModelError
        The file cannot be used, or the provider does not take all of it.
    MissingDriverError
        No ONNX Runtime, or none with this provider.
    """

    def __init__(
        self,
        model: Path,
        *,
        name: str,
        provider: str,
        options: dict[str, str] | None = None,
        threads: int = 1,
    ) -> None:
        self._name, self._provider, self._threads = name, provider, threads
        module = _module(name, provider)
        self._version = str(module.__version__)
        self._errors = _errors(module)
        if provider == _PROCESSOR:  # a child must not open other hardware

            def run_once() -> None:
                _run_once(self._open(module, model, options or {}), model)

            try_first_inference(model, f"onnxruntime-{self._version}", run_once)
        self._session: Untyped = self._open(module, model, options or {})
        self._inputs = tuple(_spec(model, i) for i in self._session.get_inputs())
        self._outputs = tuple(_spec(model, o) for o in self._session.get_outputs())

    def _open(self, module: Module, model: Path, options: dict[str, str]) -> Untyped:
        if model.suffix != ".onnx":
            raise ModelError(
                f"{model}: this device takes .onnx files, not {model.suffix!r}"
            )
        content = read_onnx_model(model)
        settings = module.SessionOptions()
        settings.intra_op_num_threads = self._threads
        settings.log_severity_level = 4  # what is raised says the same
        if self._provider != _PROCESSOR:
            settings.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
            if is_quantized(content):
                # rewritten it cannot be built: microsoft/onnxruntime issue 17312
                none = module.GraphOptimizationLevel.ORT_DISABLE_ALL
                settings.graph_optimization_level = none
        else:
            # else sums of int8 products are cut off at 16 bits where VNNI is missing
            settings.add_session_config_entry("session.x64quantprecision", "1")
        try:
            with quiet():
                session = module.InferenceSession(
                    content, settings, providers=[(self._provider, options)]
                )
        except self._errors as error:
            raise ModelError(
                f"{model} cannot be prepared by {self._name}: {one_line(error)}"
            ) from error
        if session.get_providers()[0] != self._provider:
            raise MissingDriverError(
                f"{self._name}: ONNX Runtime could not start {self._provider} and "
                f"offers {', '.join(session.get_providers())} instead"
            )
        session.disable_fallback()
        return session

    def infer(self, *tensors: Array) -> tuple[Array, ...]:
        """Run the model once; see `Device.infer`."""
        if self._session is None:
            raise ModelError("the device is closed: open it again")
        check_tensors(tensors, self._inputs)
        feed = {s.name: t for s, t in zip(self._inputs, tensors, strict=True)}
        try:
            return tuple(self._session.run(None, feed))
        except self._errors as error:
            raise ModelError(f"inference failed: {one_line(error)}") from error

    def describe(self) -> Json:
        """Return device, runtime, version, threads and provider."""
        return {
            "device": self._name,
            "runtime": "onnxruntime",
            "version": self._version,
            "threads": self._threads,
            "provider": self._provider,
        }

    def close(self) -> None:
        """Drop the session."""
        self._session = None


def with_onnx(
    name: str,
    tflite: Callable[[Path, str, int | None], Device],
    cores: Callable[[], int],
) -> Callable[..., Device]:
    """Return a device file's ``PLUGIN`` that also takes the unit ``onnx``.

    Parameters
    ----------
    name : str
        The device file's.
    tflite : callable
        Opens a ``.tflite`` file with any other unit.
    cores : callable
        Returns the threads of an inference where no number is given.

    Returns
    -------
    callable
        Takes model, unit and threads; with ``onnx`` an ``.onnx`` file is opened in
        ONNX Runtime on the processor, see `OnnxDevice`.
    """

    def open_either(model: Path, unit: str = "", threads: int | None = None) -> Device:
        if unit != PROCESSOR_UNIT.name:
            return tflite(model, unit, threads)
        default = cores()
        return OnnxDevice(
            model,
            name=f"{name}:{unit}",
            provider=_PROCESSOR,
            threads=threads or default,
        )

    return open_either


def find_on_processor(name: str) -> Found:
    """Return whether a device's processor could run ``.onnx`` files.

    Parameters
    ----------
    name : str
        The device file's, without the unit.
    """
    device = f"{name}:{PROCESSOR_UNIT.name}"
    if not is_installed():
        return Found(device, "incomplete", "for .onnx files: pip install onnxruntime")
    return Found(device, "ready", "an .onnx file through ONNX Runtime")


def read_onnx_model(path: Path) -> bytes:
    """Return the bytes of an ``.onnx`` file.

    Raises
    ------
    ModelError
        The file is missing, unreadable, or a TFLite model.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read model {path}: {reason_of(error)}") from error
    if is_tflite(content):
        raise ModelError(f"{path} is a TFLite model: name it .tflite")
    return content


def is_quantized(content: bytes) -> bool:
    """Return whether an ``.onnx`` file's operators read int8 values."""
    return b"QuantizeLinear" in content


def is_installed() -> bool:
    """Return whether ONNX Runtime is installed, without importing it."""
    return importlib.util.find_spec("onnxruntime") is not None


def is_built_with_tensorrt() -> bool:
    """Return whether the installed ONNX Runtime has TensorRT, without importing it."""
    spec = importlib.util.find_spec("onnxruntime")
    folders = (spec.submodule_search_locations or ()) if spec else ()
    return any((Path(folder) / _TENSORRT_LIBRARY).is_file() for folder in folders)


def providers() -> tuple[str, ...]:
    """Return what the installed ONNX Runtime was built with; empty without one."""
    try:
        module = _imported()
    except ImportError:
        return ()
    return tuple(module.get_available_providers())


def _imported() -> Module:
    """Import ONNX Runtime with its telemetry off, unless the user has set it.

    Recent releases (such as 1.32) otherwise write a device identifier into the user's
    cache folder when they are imported, and report usage to their maker.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    return importlib.import_module("onnxruntime")


def _module(name: str, provider: str) -> Module:
    try:
        module = _imported()
    except ImportError as error:
        if provider == _PROCESSOR:
            raise MissingDriverError(
                f"{name} needs ONNX Runtime: pip install onnxruntime"
            ) from error
        raise MissingDriverError(
            f"{name} needs ONNX Runtime with {provider}: on a Jetson the wheel of "
            "NVIDIA's index for its JetPack, not the one of PyPI"
        ) from error
    there = module.get_available_providers()
    if provider not in there:
        raise MissingDriverError(
            f"{name}: this ONNX Runtime has no {provider}, only {', '.join(there)}; on "
            "a Jetson install the wheel of NVIDIA's index for its JetPack"
        )
    return module


def _errors(module: Module) -> tuple[type[Exception], ...]:
    state = module.capi.onnxruntime_pybind11_state
    named = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf")
    more = ("NoSuchFile", "NotImplemented", "RuntimeException", "EPFail", "NoModel")
    kinds = [getattr(state, key) for key in (*named, *more) if hasattr(state, key)]
    return (*kinds, ValueError, RuntimeError)


def _run_once(session: Untyped, model: Path) -> None:
    import numpy as np

    specs = [_spec(model, tensor) for tensor in session.get_inputs()]
    session.run(None, {s.name: np.zeros(s.shape, s.dtype) for s in specs})


def _spec(model: Path, tensor: Untyped) -> TensorSpec:
    dtype = _DTYPES.get(tensor.type.removeprefix("tensor(").removesuffix(")"))
    shape = tuple(tensor.shape)
    if dtype is None or not all(isinstance(n, int) and n > 0 for n in shape):
        raise ModelError(
            f"{model}: tensor {tensor.name!r} must have a fixed shape and a number "
            f"type, got {tensor.type} {list(shape)}: export it with a fixed size"
        )
    return TensorSpec(tensor.name, shape, dtype)
