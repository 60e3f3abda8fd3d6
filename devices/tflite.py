"""A model in a TFLite interpreter: what the CPU devices and the Coral share."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from edgeseg.devices.base import SpecifiedDevice
from edgeseg.devices.cores import pinned
from edgeseg.devices.errors import ModelError
from edgeseg.devices.first_inference import try_first_inference
from edgeseg.devices.litert import Runtime, find_runtime, open_interpreter, tensor_specs
from edgeseg.devices.plain_text import one_line
from edgeseg.devices.quiet import quiet

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Array, Json, Untyped

_log = logging.getLogger(__name__)


class TFLiteDevice(SpecifiedDevice):
    """Inference through a TFLite interpreter.

    Parameters
    ----------
    model : Path
        A ``.tflite`` file.
    name : str
        What `describe` calls the device.
    threads : int
        Threads of an inference.
    xnnpack : bool
        Whether the CPU delegate may be applied.
    processors : frozenset of int
        Processors that the inference's threads keep to; empty: all.
    runtime : Runtime or None
        The interpreter package; None takes the first that is installed.
    delegates : tuple
        Loaded delegates, applied before XNNPACK.

    Raises
    ------
    ModelError
        The file is no TFLite model, needs another device, or cannot be prepared.
    """

    def __init__(
        self,
        model: Path,
        *,
        name: str,
        threads: int,
        xnnpack: bool = True,
        processors: frozenset[int] = frozenset(),
        runtime: Runtime | None = None,
        delegates: tuple[Untyped, ...] = (),
    ) -> None:
        self._name = name
        self._threads = threads
        self._processors = processors
        self._runtime = runtime or find_runtime()
        self._delegates = delegates
        # tflite-runtime's x86 build takes quantized models without XNNPACK even when
        # the delegate may be applied: "allowed" is all that can be said from here.
        self._xnnpack = "allowed" if xnnpack else "off"
        with pinned(processors):
            if not delegates:  # a child must not open the hardware of a delegate
                runs_on = f"{self._runtime.name}-{self._runtime.version}-{xnnpack}"
                try_first_inference(model, runs_on, lambda: self._run_once(model))
            self._interpreter: Untyped = self._prepare(model)
        details = self._interpreter.get_input_details()
        self._input_indices = [detail["index"] for detail in details]
        self._inputs = tensor_specs(details)
        details = self._interpreter.get_output_details()
        self._output_indices = [detail["index"] for detail in details]
        self._outputs = tensor_specs(details)

    def _prepare(self, model: Path) -> Untyped:
        interpreter = self._load(model, xnnpack=self._xnnpack == "allowed")
        try:
            with quiet():
                interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            return self._prepare_without_xnnpack(model, error)
        return interpreter

    def _run_once(self, model: Path) -> None:
        import numpy as np

        interpreter = self._prepare(model)
        for detail in interpreter.get_input_details():
            values = np.arange(np.prod(detail["shape"])).reshape(detail["shape"])
            interpreter.set_tensor(detail["index"], values.astype(detail["dtype"]))
        interpreter.invoke()
        for detail in interpreter.get_output_details():
            interpreter.get_tensor(detail["index"])

    def _load(self, model: Path, *, xnnpack: bool) -> Untyped:
        return open_interpreter(
            model,
            threads=self._threads,
            delegate=xnnpack,
            runtime=self._runtime,
            delegates=self._delegates,
        )

    def _prepare_without_xnnpack(self, model: Path, first: Exception) -> Untyped:
        if "edgetpu-custom-op" in str(first):
            raise ModelError(
                f"{model} is compiled for the Edge TPU and needs a Coral; on this "
                "device run the file that it was compiled from (without _edgetpu)"
            ) from first
        if "ethos-u" in str(first):
            raise ModelError(
                f"{model} is compiled for an Ethos-U and needs one; on this device run "
                "the file that it was compiled from (without _vela)"
            ) from first
        interpreter = self._load(model, xnnpack=False)
        try:
            with quiet():
                interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                f"{model} cannot be prepared by {self._runtime.name}: "
                f"{one_line(error)}; edgeseg convert, on a workstation, makes a new "
                "file of such a model"
            ) from error
        self._xnnpack = "refused by the model"
        _log.warning(
            "%s: XNNPACK refuses this model (%s); running without it, slower",
            model,
            one_line(first, 120),
        )
        return interpreter

    def infer(self, *tensors: Array) -> tuple[Array, ...]:
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
            with pinned(self._processors):
                self._interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"inference failed: {one_line(error)}") from error
        return tuple(self._interpreter.get_tensor(i) for i in self._output_indices)

    def describe(self) -> Json:
        """Return device, runtime, version, threads and delegate."""
        values: Json = {
            "device": self._name,
            "runtime": self._runtime.name,
            "version": self._runtime.version,
            "threads": self._threads,
            "xnnpack": self._xnnpack,
        }
        if self._processors:
            values["processors"] = sorted(self._processors)
        return values

    def close(self) -> None:
        """Drop the interpreter."""
        self._interpreter = None
        self._delegates = ()
