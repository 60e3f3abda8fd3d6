"""Layers that round as int8 does: an activation, or the weights of another layer.

The classes are made on first use, so that importing this module imports no Keras.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need
from edgeseg.converter.networks.folding import channel_axes
from edgeseg.converter.training.int8.rounding import (
    activation_steps,
    fake_quantize,
    fake_quantize_weights,
)

if TYPE_CHECKING:
    from edgeseg.converter.frameworks import KerasClass, KerasLayer, KerasTensor
    from edgeseg.devices.types import Json

# A weight that is rounded; biases are int32 and lose nothing
_KERNEL = "kernel"


def register() -> None:
    """Let ``keras.models.load_model`` know the layers of a prepared model."""
    fake_quant_layer()
    rounded_weights_layer()


@cache
def fake_quant_layer() -> KerasClass:
    """Return the Keras layer class `FakeQuant`, made and registered once."""
    keras = need("keras")
    layer: KerasLayer = keras.layers.Layer

    class FakeQuant(layer):  # type: ignore[misc]
        """Round an activation as an int8 tensor of a fixed range does.

        Parameters
        ----------
        low, high : float
            Lowest and highest real value to be held; 0 is always held exactly.
        **options
            Of ``keras.layers.Layer``.
        """

        def __init__(self, low: float, high: float, **options: object) -> None:
            super().__init__(**options)
            self.low, self.high = float(low), float(high)
            self.scale, self.zero_point = activation_steps(self.low, self.high)
            self.built = True

        def call(self, inputs: KerasTensor) -> KerasTensor:
            return fake_quantize(inputs, self.scale, self.zero_point)

        def compute_output_shape(self, input_shape: tuple[int, ...]) -> KerasTensor:
            return input_shape

        def get_config(self) -> Json:
            return {**super().get_config(), "low": self.low, "high": self.high}

    return keras.saving.register_keras_serializable("edgeseg")(FakeQuant)


@cache
def rounded_weights_layer() -> KerasClass:
    """Return the Keras layer class `RoundedWeights`, made and registered once."""
    keras = need("keras")
    wrapper: KerasClass = keras.layers.Wrapper

    class RoundedWeights(wrapper):  # type: ignore[misc]
        """Call a layer as if its kernel had been rounded to int8.

        Parameters
        ----------
        layer : keras.Layer
            A convolution or a fully connected layer; its weights are the float ones
            that training moves.
        **options
            Of ``keras.layers.Layer``; the name is the layer's own by default.
        """

        def __init__(self, layer: KerasLayer, **options: object) -> None:
            super().__init__(layer, **{"name": layer.name, **options})

        def call(self, inputs: KerasTensor) -> KerasTensor:
            axes = channel_axes(self.layer)
            values = [(v, v.value) for v in self.layer.variables]
            held = [
                (v, fake_quantize_weights(x, axes) if v.name == _KERNEL else x)
                for v, x in values
            ]
            # all of them: one left out would be read behind the trainer's back
            with keras.StatelessScope(state_mapping=held):
                return self.layer(inputs)

        def compute_output_shape(self, input_shape: tuple[int, ...]) -> KerasTensor:
            return self.layer.compute_output_shape(input_shape)

    return keras.saving.register_keras_serializable("edgeseg")(RoundedWeights)
