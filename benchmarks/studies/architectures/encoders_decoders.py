"""Networks that shrink a picture and enlarge what they found: U-Net and its kin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.benchmarks.studies.architectures.blocks import (
    SIDE,
    added,
    conv,
    image,
    joined,
    layers,
    model,
    residual,
    scores,
    taps,
    up,
)
from edgeseg.converter.frameworks import need

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.converter.frameworks import KerasModel, KerasTensor

_WIDTHS = (16, 32, 64, 128)


def _unet(
    grow: Callable[[KerasTensor, int], KerasTensor],
    activation: str | None = "softmax",
    classes: int = 21,
    widths: tuple[int, ...] = _WIDTHS,
) -> KerasModel:
    start = x = image()
    skips = []
    for width in widths:
        x = conv(conv(x, width), width)
        skips.append(x)
        x = layers().MaxPooling2D()(x)
    x = conv(conv(x, 2 * widths[-1]), 2 * widths[-1])
    for width, skip in zip(reversed(widths), reversed(skips), strict=True):
        x = conv(conv(joined(grow(x, width), skip), width), width)
    return model(start, scores(x, classes, activation))


def unet_transposed() -> KerasModel:
    """U-Net with transposed convolutions (Ronneberger et al., 2015)."""
    return _unet(lambda x, width: layers().Conv2DTranspose(width, 2, 2, "same")(x))


def unet_nearest() -> KerasModel:
    """U-Net that repeats cells."""
    return _unet(lambda x, width: up(x, 2, "nearest"))


def unet_narrow() -> KerasModel:
    """U-Net of half the width, which a processor trains in minutes."""
    widths = tuple(width // 2 for width in _WIDTHS)
    return _unet(lambda x, width: up(x, 2, "nearest"), widths=widths)


def unet_bilinear_sigmoid() -> KerasModel:
    """U-Net for one class against the rest."""
    return _unet(lambda x, width: up(x, 2), "sigmoid", 1)


def segnet() -> KerasModel:
    """SegNet, its unpooling by repetition, its output a list of cells (2017)."""
    start = x = image()
    for width in (32, 64, 128):
        x = layers().MaxPooling2D()(conv(conv(x, width), width))
    for width in (128, 64, 32):
        x = conv(conv(up(x, 2, "nearest"), width), width)
    x = layers().Reshape((SIDE * SIDE, 21))(scores(x))
    return model(start, layers().Softmax()(x))


def fcn8() -> KerasModel:
    """FCN-8s with transposed convolutions (Long et al., 2015)."""
    start = x = image()
    pools = []
    for width in (16, 32, 64, 128, 128):
        x = layers().MaxPooling2D()(conv(conv(x, width), width))
        pools.append(x)
    x = scores(conv(x, 256, 3))
    for pool in (pools[3], pools[2]):
        x = layers().Conv2DTranspose(21, 4, 2, "same", use_bias=False)(x)
        x = added(x, scores(pool))
    x = layers().Conv2DTranspose(21, 16, 8, "same", use_bias=False)(x)
    return model(start, layers().Softmax()(x))


def linknet() -> KerasModel:
    """LinkNet on residual blocks (Chaurasia and Culurciello, 2017)."""
    start = x = image()
    x = layers().MaxPooling2D()(conv(x, 32, 7, 2))
    maps = []
    for width, stride in ((32, 1), (64, 2), (128, 2), (256, 2)):
        x = residual(residual(x, width, stride), width)
        maps.append(x)
    for before in (*reversed(maps[:-1]), None):
        width = 32 if before is None else before.shape[-1]
        x = conv(x, x.shape[-1] // 4, 1)
        x = layers().Conv2DTranspose(x.shape[-1], 3, 2, "same", use_bias=False)(x)
        x = conv(layers().ReLU()(layers().BatchNormalization()(x)), width, 1)
        x = x if before is None else added(x, before)
    return model(start, up(scores(conv(x, 32)), 2))


def _on(backbone: KerasModel, how: str, widths: tuple[int, ...]) -> KerasModel:
    *skips, x = taps(backbone, (128, 64, 32, 16, 8))
    for width, skip in zip(widths, reversed(skips), strict=True):
        x = conv(conv(joined(up(x, 2, how), skip), width), width)
    return model(backbone.input, scores(up(x, 2, how), activation="softmax"))


def unet_efficientnet_b0() -> KerasModel:
    """U-Net on EfficientNet-B0: swish, squeeze and excite, scaling inside."""
    applications = need("keras").applications
    backbone = applications.EfficientNetB0(
        include_top=False, weights=None, input_tensor=image()
    )
    return _on(backbone, "nearest", (128, 64, 32, 16))


def unet_mobilenet_v2() -> KerasModel:
    """U-Net on MobileNetV2, the way of many tutorials."""
    applications = need("keras").applications
    backbone = applications.MobileNetV2(
        include_top=False, weights=None, input_tensor=image()
    )
    return _on(backbone, "bilinear", (96, 48, 32, 16))


def unet_vgg16() -> KerasModel:
    """U-Net on VGG16, with the input preparation of Keras in the graph."""
    applications = need("keras").applications
    start = image()
    prepared = applications.vgg16.preprocess_input(start)
    backbone = applications.VGG16(
        include_top=False, weights=None, input_tensor=prepared
    )
    *skips, x = taps(backbone, (128, 64, 32, 16))
    for width, skip in zip((128, 64, 32), reversed(skips), strict=True):
        x = conv(joined(up(x, 2, "nearest"), skip), width)
    return model(start, scores(up(x, 2, "nearest"), activation="softmax"))


def fpn_resnet50() -> KerasModel:
    """FPN on ResNet50, its scores enlarged four times (Kirillov et al., 2019)."""
    applications = need("keras").applications
    backbone = applications.ResNet50(
        include_top=False, weights=None, input_tensor=image()
    )
    maps = taps(backbone, (64, 32, 16, 8))
    x = layers().Conv2D(64, 1)(maps[-1])
    pyramid = [x]
    for one in reversed(maps[:-1]):
        x = added(up(x, 2, "nearest"), layers().Conv2D(64, 1)(one))
        pyramid.append(x)
    parts = [
        up(conv(one, 64), factor) if factor > 1 else conv(one, 64)
        for one, factor in zip(pyramid, (8, 4, 2, 1), strict=True)
    ]
    return model(backbone.input, up(scores(added(*parts)), 4))


NETWORKS = (
    unet_transposed,
    unet_nearest,
    unet_bilinear_sigmoid,
    segnet,
    fcn8,
    linknet,
    unet_efficientnet_b0,
    unet_mobilenet_v2,
    unet_vgg16,
    fpn_resnet50,
)
