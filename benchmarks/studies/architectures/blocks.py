"""Parts that segmentation networks are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need

if TYPE_CHECKING:
    from edgeseg.converter.frameworks import KerasModel, KerasTensor
    from edgeseg.devices.types import Module

SIDE, CLASSES = 256, 21


def layers() -> Module:
    """Return ``keras.layers``."""
    found: Module = need("keras").layers
    return found


def image() -> KerasTensor:
    """Return the input of every network of the study."""
    return need("keras").Input((SIDE, SIDE, 3))


def conv(
    x: KerasTensor, channels: int, kernel: int = 3, stride: int = 1, rate: int = 1
) -> KerasTensor:
    """Apply convolution, batch norm and ReLU."""
    keras = layers()
    x = keras.Conv2D(
        channels, kernel, stride, "same", dilation_rate=rate, use_bias=False
    )(x)
    return keras.ReLU()(keras.BatchNormalization()(x))


def separable(x: KerasTensor, channels: int, stride: int = 1) -> KerasTensor:
    """Apply a depthwise and a 1x1 convolution, each with batch norm and ReLU."""
    keras = layers()
    x = keras.DepthwiseConv2D(3, stride, "same", use_bias=False)(x)
    return conv(keras.ReLU()(keras.BatchNormalization()(x)), channels, 1)


def inverted(
    x: KerasTensor, channels: int, stride: int = 1, expansion: int = 6
) -> KerasTensor:
    """Apply the inverted residual of MobileNetV2."""
    keras, start = layers(), x
    x = conv(x, expansion * x.shape[-1], 1)
    x = keras.DepthwiseConv2D(3, stride, "same", use_bias=False)(x)
    x = keras.ReLU(6.0)(keras.BatchNormalization()(x))
    x = keras.BatchNormalization()(keras.Conv2D(channels, 1, use_bias=False)(x))
    same = stride == 1 and start.shape[-1] == channels
    return keras.Add()([start, x]) if same else x


def residual(x: KerasTensor, channels: int, stride: int = 1) -> KerasTensor:
    """Apply the basic block of ResNet."""
    keras, start = layers(), x
    x = conv(x, channels, 3, stride)
    x = keras.BatchNormalization()(
        keras.Conv2D(channels, 3, padding="same", use_bias=False)(x)
    )
    if start.shape != x.shape:
        start = keras.BatchNormalization()(
            keras.Conv2D(channels, 1, stride, use_bias=False)(start)
        )
    return keras.ReLU()(keras.Add()([start, x]))


def up(x: KerasTensor, factor: int, how: str = "bilinear") -> KerasTensor:
    """Enlarge by a whole number."""
    return layers().UpSampling2D(factor, interpolation=how)(x)


def scores(
    x: KerasTensor, classes: int = CLASSES, activation: str | None = None
) -> KerasTensor:
    """Apply the 1x1 convolution that gives one score a class."""
    return layers().Conv2D(classes, 1, activation=activation)(x)


def joined(*maps: KerasTensor) -> KerasTensor:
    """Return maps behind each other."""
    return layers().Concatenate()(list(maps))


def added(*maps: KerasTensor) -> KerasTensor:
    """Return the sum of maps."""
    return layers().Add()(list(maps))


def model(start: KerasTensor, end: KerasTensor) -> KerasModel:
    """Return a network."""
    return need("keras").Model(start, end)


def taps(backbone: KerasModel, sides: tuple[int, ...]) -> list[KerasTensor]:
    """Return the last map of each side that a backbone has."""
    found: dict[int, KerasTensor] = {}
    for layer in backbone.layers:
        shape = list(getattr(layer.output, "shape", ()))
        if len(shape) == 4 and shape[1] == shape[2]:
            found[shape[1]] = layer.output
    return [found[side] for side in sides]
