"""The float Keras model as a device: the reference for all comparisons."""

from __future__ import annotations

import dataclasses
from importlib.metadata import version
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import third_party
from edgeseg.converter.loading.format import Loading
from edgeseg.converter.loading.load import load_model, single_channel_head
from edgeseg.converter.networks.preprocessing import PIXEL_RANGES, input_scaling
from edgeseg.converter.shipped import find_keras
from edgeseg.devices import Device, ModelError, TensorSpec
from edgeseg.runtime import Overrides, Segmenter
from edgeseg.runtime.model.overrides import guess_manifest

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.converter.frameworks import KerasModel, KerasTensor
    from edgeseg.converter.loading.format import Loaded
    from edgeseg.devices.types import Array, Json


class KerasDevice(Device):
    """Runs a Keras model on Keras' own backend.

    Parameters
    ----------
    model : keras.Model
        From `load_model`.
    """

    def __init__(self, model: KerasModel) -> None:
        self.model: KerasModel = model
        self._input = TensorSpec("image", _shape(model.input), "float32")
        self._output = TensorSpec("scores", _shape(model.output), "float32")

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """One float32 picture."""
        return (self._input,)

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """One float32 map of scores."""
        return (self._output,)

    def infer(self, *tensors: Array) -> tuple[Array, ...]:
        """Run the model once; see `Device.infer`."""
        if self.model is None:
            raise ModelError("the device is closed: open it again")
        got = [(tensor.shape, str(tensor.dtype)) for tensor in tensors]
        expected = [(self._input.shape, self._input.dtype)]
        if got != expected:
            raise ModelError(f"expected tensors {expected}, got {got}")
        with third_party():
            return (self.model.predict_on_batch(tensors[0]),)

    def describe(self) -> Json:
        """Return Keras' backend and versions."""
        import keras

        return {
            "device": "keras",
            "runtime": "keras",
            "version": version("keras"),
            "backend": keras.backend.backend(),
            "threads": 0,
        }

    def close(self) -> None:
        """Drop the model."""
        self.model = None


def open_keras(
    path: Path | str,
    overrides: Overrides | None = None,
    loading: Loading = Loading(),  # noqa: B008
) -> Segmenter:
    """Open a float Keras model of any format as a segmenter.

    Parameters
    ----------
    path : Path or str
        See `load_model`; ``"animals"`` is the float model that ships.
    overrides : Overrides or None
        Labels and preprocessing; without them what the network's own scaling of its
        input expects, else ``pixel / 127.5 - 1``.
    loading : Loading
        How to load it.

    Raises
    ------
    ModelError, InputError
        The file cannot be used, or not so.
    """
    return segmenter_of(load_model(find_keras(path), loading), overrides)


def segmenter_of(loaded: Loaded, overrides: Overrides | None = None) -> Segmenter:
    """Return a segmenter on a model that is loaded.

    Parameters
    ----------
    loaded : Loaded
        From `load_model`.
    overrides : Overrides or None
        Labels and preprocessing.
    """
    device = KerasDevice(loaded.model)
    found = loaded.manifest or guess_manifest(device.inputs[0], device.outputs[0])
    manifest = dataclasses.replace(
        found,
        input_size=(device.inputs[0].shape[1], device.inputs[0].shape[2]),
        head=single_channel_head(loaded.model),
    )
    if loaded.resize is not None:
        manifest = dataclasses.replace(manifest, resize=loaded.resize)
    scaling = input_scaling(loaded.model)
    is_said = loaded.original is not None and loaded.original.says_input
    if scaling is not None and scaling.pixels is not None and not is_said:
        mean, std = PIXEL_RANGES[scaling.pixels]
        manifest = dataclasses.replace(manifest, mean=(mean,) * 3, std=(std,) * 3)
    return Segmenter(device, (overrides or Overrides()).apply(manifest))


def _shape(tensor: KerasTensor) -> tuple[int, ...]:
    return tuple(int(length) for length in tensor.shape)
