"""The processor of any workstation or board: TFLite on the CPU, through XNNPACK."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from edgeseg.devices._base import Device, TensorSpec
from edgeseg.devices._cores import physical_cores
from edgeseg.devices._errors import ModelError, UnknownPluginError
from edgeseg.devices._litert import (
    find_runtime,
    one_line,
    open_interpreter,
    tensor_specs,
)
from edgeseg.devices._quiet import quiet

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_log = logging.getLogger(__name__)


class Desktop(Device):
    """CPU inference with as many threads as there are physical cores.

    Parameters
    ----------
    model : Path
        A ``.tflite`` file.
    unit : str
        ``""`` or ``"cpu"``; ``"plain"`` leaves XNNPACK out, to see what it brings.
    threads : int or None
        Threads of an inference; None takes the physical cores available.

    Raises
    ------
    ModelError
        The file is no TFLite model, needs another device, or cannot be prepared.
    """

    def __init__(self, model: Path, unit: str = "", threads: int | None = None) -> None:
        if unit not in ("", "cpu", "plain"):
            raise UnknownPluginError(
                f"device 'desktop' has no unit {unit!r}; known: desktop, desktop:cpu, "
                "desktop:plain"
            )
        self._threads = threads or physical_cores()
        # tflite-runtime's x86 build takes quantized models without XNNPACK even when
        # the delegate may be applied: "allowed" is all that can be said from here.
        self._xnnpack = "off" if unit == "plain" else "allowed"
        self._interpreter: Any = self._prepare(model)
        details = self._interpreter.get_input_details()
        self._input_indices = [detail["index"] for detail in details]
        self._inputs = tensor_specs(details)
        details = self._interpreter.get_output_details()
        self._output_indices = [detail["index"] for detail in details]
        self._outputs = tensor_specs(details)

    def _prepare(self, model: Path) -> Any:
        delegate = self._xnnpack == "allowed"
        interpreter = open_interpreter(model, threads=self._threads, delegate=delegate)
        try:
            with quiet():
                interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            return self._prepare_without_delegate(model, error)
        return interpreter

    def _prepare_without_delegate(self, model: Path, first: Exception) -> Any:
        if "edgetpu-custom-op" in str(first):
            raise ModelError(
                f"{model} is compiled for the Edge TPU and needs a Coral; on this "
                "device run the file that it was compiled from (without _edgetpu)"
            ) from first
        interpreter = open_interpreter(model, threads=self._threads, delegate=False)
        try:
            with quiet():
                interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                f"{model} cannot be prepared by {find_runtime().name}: "
                f"{one_line(error)}"
            ) from error
        self._xnnpack = "refused by the model"
        _log.warning(
            "%s: XNNPACK refuses this model (%s); running without it, slower",
            model,
            one_line(first, 120),
        )
        return interpreter

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """Specs of the model's inputs."""
        return self._inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """Specs of the model's outputs."""
        return self._outputs

    def infer(self, *tensors: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """Run the model once; see `Device.infer`."""
        if self._interpreter is None:
            raise ModelError("the device is closed: open it again")
        if len(tensors) != len(self._inputs):
            raise ModelError(
                f"expected {len(self._inputs)} tensors, got {len(tensors)}"
            )
        try:
            for index, tensor in zip(self._input_indices, tensors, strict=True):
                self._interpreter.set_tensor(index, tensor)
            self._interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"inference failed: {one_line(error)}") from error
        return tuple(self._interpreter.get_tensor(i) for i in self._output_indices)

    def describe(self) -> dict[str, Any]:
        """Return device, runtime, version, threads and delegate."""
        runtime = find_runtime()
        return {
            "device": "desktop",
            "runtime": runtime.name,
            "version": runtime.version,
            "threads": self._threads,
            "xnnpack": self._xnnpack,
        }

    def close(self) -> None:
        """Drop the interpreter."""
        self._interpreter = None


PLUGIN = Desktop
