"""A model in LiteRT's `CompiledModel`, the way to its GPU accelerator."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from edgeseg.devices.base import SpecifiedDevice, TensorSpec, check_tensors
from edgeseg.devices.board import read_features, read_processor
from edgeseg.devices.errors import MissingDriverError, ModelError
from edgeseg.devices.linux_files import ROOT
from edgeseg.devices.litert import (
    find_runtime,
    open_interpreter,
    read_model,
    tensor_specs,
)
from edgeseg.devices.plain_text import one_line, plain, shortened
from edgeseg.devices.quiet import quiet

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Array, Json, Untyped

_NO_ADAPTER = ("No adapters found", "Found no drivers", "WebGPU environment")


class CompiledDevice(SpecifiedDevice):
    """Inference through LiteRT's `CompiledModel`.

    Parameters
    ----------
    model : Path
        A ``.tflite`` file.
    name : str
        What `describe` calls the device.
    accelerators : tuple of str
        Out of ``"GPU"`` and ``"CPU"``. With ``"GPU"`` alone a model that it does not
        take whole is refused.

    Raises
    ------
    ModelError
        The file cannot be used, or the accelerator does not take all of it.
    MissingDriverError
        No ai-edge-litert with `CompiledModel`, no GPU that it accepts, or a processor
        on which it would be killed.
    """

    def __init__(
        self, model: Path, *, name: str, accelerators: tuple[str, ...]
    ) -> None:
        self._name = name
        self._accelerators = accelerators
        self._inputs, self._outputs = _specs(model)
        if reason := unfit_processor():
            raise MissingDriverError(f"{name}: {reason}")
        self._model: Untyped = _compile(model, name, accelerators)
        self._is_whole = bool(self._model.is_fully_accelerated())
        if accelerators == ("GPU",) and not self._is_whole:
            raise ModelError(
                f"{model}: the GPU takes only a part of this model; see which with "
                "edgeseg check MODEL --device jetson, or allow the processor for the "
                "rest with jetson:gpu-cpu"
            )
        with quiet():
            self._buffers_in = self._model.create_input_buffers(0)
            self._buffers_out = self._model.create_output_buffers(0)
            self._order_in, self._order_out = _orders(self._model, model)
            self._fill_with_zeros()

    def infer(self, *tensors: Array) -> tuple[Array, ...]:
        """Run the model once; see `Device.infer`."""
        if self._model is None:
            raise ModelError("the device is closed: open it again")
        check_tensors(tensors, self._inputs)
        try:
            for place, tensor in zip(self._order_in, tensors, strict=True):
                self._buffers_in[place].write(tensor)
            self._model.run_by_index(0, self._buffers_in, self._buffers_out)
            return tuple(map(self._read, self._order_out, self._outputs))
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"inference failed: {one_line(error)}") from error

    def _fill_with_zeros(self) -> None:
        # the first writing opens a second environment, which prints much
        import numpy as np

        for place, spec in zip(self._order_in, self._inputs, strict=True):
            self._buffers_in[place].write(np.zeros(spec.shape, spec.dtype))

    def _read(self, place: int, spec: TensorSpec) -> Array:
        import numpy as np

        count = int(np.prod(spec.shape))
        flat: Array = self._buffers_out[place].read(count, np.dtype(spec.dtype))
        return np.array(flat).reshape(spec.shape)

    def describe(self) -> Json:
        """Return device, runtime, version, and what takes the model."""
        return {
            "device": self._name,
            "runtime": "ai-edge-litert",
            "version": find_runtime().version,
            "threads": 0,
            "accelerators": list(self._accelerators),
            "fully_accelerated": self._is_whole,
        }

    def close(self) -> None:
        """Release buffers, model and accelerator."""
        if self._model is None:
            return
        with quiet():
            self._buffers_in = self._buffers_out = ()
            self._model.close()
            self._model = None


def unfit_processor(root: Path = ROOT) -> str | None:
    """Return why `CompiledModel` cannot run on this processor, None where it can.

    Its library for the GPU, which is loaded in any case, uses ARMv8.1's atomic
    instructions and ends the process where there are none (seen with ai-edge-litert
    2.3.0 on an emulated Cortex-A53, A57 and A72; an A76 has them).

    Parameters
    ----------
    root : Path
        Stands for ``/``.
    """
    features = read_features(root)
    if not features or "atomics" in features:
        return None
    return (
        f"this processor ({read_processor(root) or 'unknown'}) lacks the atomic "
        "instructions of ARMv8.1 that LiteRT's GPU accelerator needs; a Jetson Xavier "
        "or Orin has them: take jetson:cpu, or jetson:tensorrt"
    )


def _specs(model: Path) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    # CompiledModel does not give the quantization: the plain interpreter does
    interpreter = open_interpreter(model)
    return (
        tensor_specs(interpreter.get_input_details()),
        tensor_specs(interpreter.get_output_details()),
    )


def _orders(compiled: Untyped, model: Path) -> tuple[list[int], list[int]]:
    """Return where a signature puts the graph's inputs and outputs."""
    interpreter = open_interpreter(model)
    key, names = next(iter(compiled.get_signature_list().items()))
    inputs = compiled.get_input_tensor_details(key)
    outputs = compiled.get_output_tensor_details(key)
    indices_in = [inputs[name]["index"] for name in names["inputs"]]
    indices_out = [outputs[name]["index"] for name in names["outputs"]]
    return (
        [indices_in.index(d["index"]) for d in interpreter.get_input_details()],
        [indices_out.index(d["index"]) for d in interpreter.get_output_details()],
    )


def _compile(model: Path, name: str, accelerators: tuple[str, ...]) -> Untyped:
    try:
        module = importlib.import_module("ai_edge_litert.compiled_model")
    except ImportError as error:
        raise MissingDriverError(
            f"{name} needs LiteRT's CompiledModel: pip install -U ai-edge-litert"
        ) from error
    kinds = module.HardwareAccelerator
    wanted = kinds(0)
    for accelerator in accelerators:
        wanted |= kinds[accelerator]
    content = read_model(model)
    with quiet() as chatter:
        try:
            return module.CompiledModel.from_buffer(content, hardware_accel=wanted)
        except (ValueError, RuntimeError) as error:
            # kept as text: letting go of the error here lets LiteRT close what it
            # holds, which it reports on standard error
            failure = str(error)
    raise _explained(model, name, f"{chatter.text} {failure}", accelerators)


def _explained(
    model: Path, name: str, output: str, accelerators: tuple[str, ...]
) -> MissingDriverError | ModelError:
    if "GPU" in accelerators and any(words in output for words in _NO_ADAPTER):
        return MissingDriverError(
            f"{name}: LiteRT's GPU accelerator finds no Vulkan driver of a real GPU "
            "(a driver that draws with the processor does not count); edgeseg doctor "
            "lists the drivers, jetson:cpu runs on the processor"
        )
    return ModelError(f"{model} cannot be compiled for {name}: {_first_error(output)}")


def _first_error(output: str, limit: int = 200) -> str:
    """Return the first line of native output that speaks of an error."""
    lines = [line.strip() for line in output.splitlines() if "ERROR" in line]
    return shortened(plain(lines[0] if lines else output), limit)
