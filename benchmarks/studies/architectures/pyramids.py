"""DeepLabs, PSPNet and the networks for mobile phones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.benchmarks.studies.architectures.blocks import (
    SIDE,
    added,
    conv,
    image,
    inverted,
    joined,
    layers,
    model,
    residual,
    scores,
    separable,
    taps,
    up,
)
from edgeseg.converter.backbones.mobilenet_v2 import MobileNetV2
from edgeseg.converter.backbones.xception import Xception
from edgeseg.converter.frameworks import need
from edgeseg.converter.networks.deeplab import SegmentationHead, build_deeplab

if TYPE_CHECKING:
    from edgeseg.converter.frameworks import KerasModel, KerasTensor

_SIZE = (SIDE + 1, SIDE + 1)


def deeplabv3_mobilenet_v2() -> KerasModel:
    """DeepLabv3 on MobileNetV2, as the public release draws it."""
    head = SegmentationHead(decoder=False, pyramid=False)
    return build_deeplab(MobileNetV2(), head, size=_SIZE, output_stride=16)


def deeplabv3plus_mobilenet_v2() -> KerasModel:
    """DeepLabv3+ on MobileNetV2."""
    head = SegmentationHead(pyramid=False)
    return build_deeplab(MobileNetV2(), head, size=_SIZE, output_stride=16)


def deeplabv3plus_xception() -> KerasModel:
    """DeepLabv3+ on Xception-65."""
    return build_deeplab(Xception(), SegmentationHead(), size=_SIZE, output_stride=16)


def deeplabv3plus_resnet50() -> KerasModel:
    """DeepLabv3+ on ResNet50 as keras.io's example draws it."""
    keras = layers()
    backbone = need("keras").applications.ResNet50(
        include_top=False, weights=None, input_tensor=image()
    )
    low, x = taps(backbone, (64, 16))
    pooled = keras.AveragePooling2D(x.shape[1])(x)
    pooled = up(conv(pooled, 256, 1), x.shape[1])
    branches = [conv(x, 256, 1), *(conv(x, 256, 3, rate=rate) for rate in (6, 12, 18))]
    x = up(conv(joined(pooled, *branches), 256, 1), 4)
    x = conv(conv(joined(x, conv(low, 48, 1)), 256), 256)
    return model(backbone.input, scores(up(x, 4)))


def pspnet() -> KerasModel:
    """PSPNet: averages over grids of several sizes (Zhao et al., 2017)."""
    keras = layers()
    start = image()
    x = residual(residual(conv(start, 32, 3, 2), 64, 2), 128, 2)
    x = residual(residual(x, 128), 256)
    side = x.shape[1]
    parts = [x]
    for cells in (1, 2, 4, 8):
        part = conv(keras.AveragePooling2D(side // cells)(x), 64, 1)
        parts.append(up(part, side // cells))
    x = conv(joined(*parts), 256)
    return model(start, keras.Softmax()(up(scores(x), 8)))


def lraspp_mobilenet_v3() -> KerasModel:
    """LR-ASPP on MobileNetV3-Small (Howard et al., 2019)."""
    keras = layers()
    backbone = need("keras").applications.MobileNetV3Small(
        include_top=False, weights=None, input_tensor=image()
    )
    low, x = taps(backbone, (32, 8))
    gate = keras.GlobalAveragePooling2D(keepdims=True)(x)
    gate = keras.Conv2D(128, 1, activation="sigmoid")(gate)
    x = up(keras.Multiply()([conv(x, 128, 1), gate]), 4)
    return model(backbone.input, up(added(scores(x), scores(low)), 8))


def fast_scnn() -> KerasModel:
    """Fast-SCNN (Poudel et al., 2019)."""
    keras = layers()
    start = image()
    low = separable(separable(conv(start, 32, 3, 2), 48, 2), 64, 2)
    x = low
    for width, stride, count in ((64, 2, 3), (96, 2, 3), (128, 1, 3)):
        for place in range(count):
            x = inverted(x, width, stride if place == 0 else 1)
    side = x.shape[1]
    bins = [
        up(conv(keras.AveragePooling2D(side // n)(x), 32, 1), side // n)
        for n in (1, 2, 4, 8)
    ]
    x = conv(joined(x, *bins), 128, 1)
    x = keras.DepthwiseConv2D(3, padding="same")(up(x, 4))
    x = keras.ReLU()(added(keras.Conv2D(128, 1)(x), keras.Conv2D(128, 1)(low)))
    x = separable(separable(x, 128), 128)
    return model(start, keras.Softmax()(up(scores(x), 8)))


def bisenet() -> KerasModel:
    """BiSeNet: a path for details and one for context (Yu et al., 2018)."""
    keras = layers()
    start = image()
    detail = conv(conv(conv(start, 32, 3, 2), 64, 3, 2), 128, 3, 2)
    x = residual(residual(conv(start, 32, 7, 2), 64, 2), 128, 2)
    sixteen = residual(x, 128, 2)
    x = residual(sixteen, 256, 2)

    def refined(one: KerasTensor) -> KerasTensor:
        gate = keras.GlobalAveragePooling2D(keepdims=True)(one)
        gate = keras.Conv2D(one.shape[-1], 1, activation="sigmoid")(gate)
        return conv(keras.Multiply()([one, gate]), 128, 1)

    context = added(up(refined(x), 2), refined(sixteen))
    x = conv(joined(detail, up(context, 2)), 128, 1)
    gate = keras.GlobalAveragePooling2D(keepdims=True)(x)
    gate = keras.Conv2D(128, 1, activation="sigmoid")(keras.Conv2D(64, 1)(gate))
    x = added(x, keras.Multiply()([x, gate]))
    return model(start, scores(up(conv(x, 64), 8)))


def icnet() -> KerasModel:
    """ICNet: three sizes of the picture, coarse to fine (Zhao et al., 2018)."""
    keras = layers()
    start = image()
    half = keras.Resizing(SIDE // 2, SIDE // 2)(start)
    x = residual(residual(conv(half, 32, 3, 2), 64, 2), 128, 2)
    deep = residual(residual(x, 128, 2), 128)

    def fused(low: KerasTensor, high: KerasTensor) -> KerasTensor:
        low = conv(up(low, 2), 64, 3, rate=2)
        high = conv(high, 64, 1)
        return keras.ReLU()(added(low, high))

    fine = conv(conv(conv(start, 32, 3, 2), 32, 3, 2), 64, 3, 2)
    x = fused(fused(deep, x), fine)
    return model(start, up(scores(up(x, 2)), 4))


def enet() -> KerasModel:
    """ENet with PReLU and transposed convolutions (Paszke et al., 2016)."""
    keras = layers()
    start = image()
    first = keras.Conv2D(13, 3, 2, "same")(start)
    x = joined(first, keras.MaxPooling2D()(start))
    x = keras.PReLU(shared_axes=[1, 2])(keras.BatchNormalization()(x))

    def bottleneck(x: KerasTensor, width: int, stride: int, rate: int) -> KerasTensor:
        inner = keras.Conv2D(width // 4, stride, stride, use_bias=False)(x)
        inner = keras.PReLU(shared_axes=[1, 2])(keras.BatchNormalization()(inner))
        inner = keras.Conv2D(width // 4, 3, padding="same", dilation_rate=rate)(inner)
        inner = keras.PReLU(shared_axes=[1, 2])(keras.BatchNormalization()(inner))
        inner = keras.BatchNormalization()(keras.Conv2D(width, 1)(inner))
        other = keras.MaxPooling2D()(x) if stride > 1 else x
        if other.shape[-1] != width:
            other = keras.Conv2D(width, 1, use_bias=False)(other)
        return keras.PReLU(shared_axes=[1, 2])(added(inner, other))

    for width, stride, rate in (
        (64, 2, 1),
        (64, 1, 1),
        (128, 2, 1),
        (128, 1, 2),
        (128, 1, 4),
        (128, 1, 8),
    ):
        x = bottleneck(x, width, stride, rate)
    for width in (64, 16):
        x = conv(keras.Conv2DTranspose(width, 3, 2, "same")(x), width, 1)
    return model(start, keras.Conv2DTranspose(21, 2, 2, "same")(x))


def hrnet() -> KerasModel:
    """HRNet, a small one: grids of several strides side by side (Wang et al., 2020)."""
    start = image()
    fine = residual(conv(conv(start, 32, 3, 2), 32, 3, 2), 32)
    coarse = conv(fine, 64, 3, 2)
    for _ in range(2):
        fine, coarse = residual(fine, 32), residual(coarse, 64)
        fine, coarse = (
            added(fine, up(conv(coarse, 32, 1), 2)),
            added(coarse, conv(fine, 64, 3, 2)),
        )
    coarsest = residual(conv(coarse, 128, 3, 2), 128)
    x = joined(fine, up(coarse, 2), up(coarsest, 4))
    return model(start, up(scores(conv(x, 128, 1)), 4))


def segformer() -> KerasModel:
    """SegFormer, a small one: attention over coarse keys (Xie et al., 2021)."""
    keras = layers()
    start = x = image()
    maps = []
    for width, stride, ratio in ((32, 4, 8), (64, 2, 4), (128, 2, 2)):
        x = keras.Conv2D(width, stride + 3, stride, "same")(x)
        side = x.shape[1]
        inner = keras.LayerNormalization()(x)
        cells = keras.Conv2D(width, ratio, ratio)(inner)
        keys = keras.Reshape((cells.shape[1] ** 2, width))(cells)
        queries = keras.Reshape((side * side, width))(inner)
        found = keras.MultiHeadAttention(2, width // 2)(queries, keys)
        x = added(x, keras.Reshape((side, side, width))(found))
        inner = keras.Conv2D(2 * width, 1)(keras.LayerNormalization()(x))
        inner = keras.DepthwiseConv2D(3, padding="same", activation="gelu")(inner)
        x = added(x, keras.Conv2D(width, 1)(inner))
        maps.append(x)
    parts = [
        up(keras.Conv2D(64, 1)(one), factor) if factor > 1 else keras.Conv2D(64, 1)(one)
        for one, factor in zip(maps, (1, 2, 4), strict=True)
    ]
    return model(start, up(scores(conv(joined(*parts), 64, 1)), 4))


NETWORKS = (
    deeplabv3_mobilenet_v2,
    deeplabv3plus_mobilenet_v2,
    deeplabv3plus_xception,
    deeplabv3plus_resnet50,
    pspnet,
    lraspp_mobilenet_v3,
    fast_scnn,
    bisenet,
    icnet,
    enet,
    hrnet,
    segformer,
)
