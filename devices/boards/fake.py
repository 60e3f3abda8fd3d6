"""A device without hardware: takes any model's tensors, runs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.base import SpecifiedDevice, TensorSpec, check_tensors
from edgeseg.devices.errors import ModelError
from edgeseg.devices.litert import open_interpreter, tensor_specs
from edgeseg.devices.profile import DeviceUnit, Found, Profile

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Array, Json


class Fake(SpecifiedDevice):
    """Answers with a pattern that depends on its input alone.

    Every output value is the input value at the same relative place: a picture whose
    left half is dark and right half is bright gives two classes. Useful for trying
    sources, sinks and screens before a board is there; never for accuracy or speed.

    Parameters
    ----------
    inputs, outputs : tuple of TensorSpec
        What the pretended model takes and gives.
    """

    def __init__(
        self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]
    ) -> None:
        self._inputs = inputs
        self._outputs = outputs
        self._is_open = True

    @classmethod
    def from_model(
        cls, model: Path, unit: str = "", threads: int | None = None
    ) -> Fake:
        """Take the specs of a real ``.tflite`` file, which is read but never run.

        Parameters
        ----------
        model : Path
            A ``.tflite`` file; one compiled for an Edge TPU will do.
        unit : str
            Must be empty.
        threads : int or None
            Ignored.
        """
        interpreter = open_interpreter(model)
        return cls(
            tensor_specs(interpreter.get_input_details()),
            tensor_specs(interpreter.get_output_details()),
        )

    def infer(self, *tensors: Array) -> tuple[Array, ...]:
        """Return the pattern; see `Device.infer`."""
        if not self._is_open:
            raise ModelError("the device is closed: open it again")
        check_tensors(tensors, self._inputs)
        return tuple(_pattern(tensors[0], spec) for spec in self._outputs)

    def describe(self) -> Json:
        """Return the device's name."""
        return {"device": "fake", "runtime": "none", "version": "", "threads": 0}

    def close(self) -> None:
        """Refuse further inferences."""
        self._is_open = False


def _pattern(tensor: Array, spec: TensorSpec) -> Array:
    import numpy as np

    plane = tensor[0].mean(axis=-1)
    bright = (plane > plane.mean()).astype(np.int64)
    height, width = (spec.shape[1:3]) if len(spec.shape) >= 3 else (1, spec.shape[-1])
    rows = np.arange(height) * bright.shape[0] // height
    columns = np.arange(width) * bright.shape[1] // width
    ids = bright[np.ix_(rows, columns)]
    if len(spec.shape) == 4:
        one_hot = np.arange(spec.shape[3]) == ids[..., None]
        return spec.quantize(one_hot[None].astype(np.float32))
    return np.broadcast_to(ids, spec.shape).astype(spec.dtype)


def _find(root: Path) -> tuple[Found, ...]:
    return (Found("fake", "ready", "a pattern instead of an inference"),)


PROFILE = Profile(
    summary="no hardware: a pattern instead of an inference",
    units=(DeviceUnit("", "for trying sources, sinks and screens"),),
    find=_find,
    placement="none",
    verified="everywhere",
)
PLUGIN = Fake.from_model
