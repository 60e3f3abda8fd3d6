"""DeepLabv3 and DeepLabv3+ on a backbone, of fixed shapes and named layers.

References
----------
L.-C. Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation",
2017 (v3). L.-C. Chen et al., "Encoder-Decoder with Atrous Separable Convolution for
Semantic Image Segmentation", ECCV 2018 (v3+).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need, third_party
from edgeseg.converter.networks.backbone import conv, normalize, separable, width_of
from edgeseg.converter.networks.resizing import resize_to
from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from edgeseg.converter.frameworks import KerasModel, KerasTensor
    from edgeseg.converter.networks.backbone import Backbone

LOGITS = "logits_semantic"
OUTPUT_STRIDES = (8, 16)
_EPSILON = 1e-5
_RATES = (6, 12, 18)  # at output stride 16; twice that at 8


@dataclass(frozen=True)
class SegmentationHead:
    """The part of a DeepLab behind its backbone: pyramid, decoder and scores.

    Parameters
    ----------
    classes : int
        Channels of the logits.
    decoder : bool
        DeepLabv3+: sharpen with the low features.
    pyramid : bool
        Three atrous branches beside the 1x1 one and the image pooling.
    width : int
        Channels of every branch and of what follows.
    low_width : int
        Channels that the decoder takes from the low features.
    decoder_width : int or None
        Channels of the decoder's convolutions; None takes ``width``.
    """

    classes: int = 21
    decoder: bool = True
    pyramid: bool = True
    width: int = 256
    low_width: int = 48
    decoder_width: int | None = None

    @classmethod
    def from_kernels(
        cls, kernels: Mapping[str, tuple[int, ...]], *, decoder: bool, pyramid: bool
    ) -> Self:
        """Infer the widths from the kernels of a weights file; see `Backbone`."""
        return cls(
            width_of(kernels, LOGITS),
            decoder,
            pyramid,
            width_of(kernels, "aspp0"),
            width_of(kernels, "feature_projection0") if decoder else 0,
            width_of(kernels, "decoder_conv0_pointwise") if decoder else None,
        )


def build_deeplab(
    backbone: Backbone,
    head: SegmentationHead,
    *,
    size: tuple[int, int],
    output_stride: int,
    resize: str = "align-corners",
) -> KerasModel:
    """Return an untrained network.

    Parameters
    ----------
    backbone : Backbone
        Such as ``MobileNetV2()``.
    head : SegmentationHead
        Classes, decoder, pyramid.
    size : (int, int)
        Height and width of the picture; see `check_size`.
    output_stride : {8, 16}
        Of the deepest features.
    resize : {"align-corners", "half-pixel", "legacy"}
        Alignment of every resize in it.

    Returns
    -------
    keras.Model
        Input ``image`` ``(1, H, W, 3)`` float32 -1..1, output ``(1, H, W, classes)``
        float32 logits.

    Raises
    ------
    InputError
        The size does not fit the output stride, or an option is unknown.
    """
    check_size(size, output_stride=output_stride, resize=resize)
    keras = need("keras")
    with third_party():
        image = keras.Input(batch_shape=(1, *size, 3), name="image")
        features = backbone.build(image, output_stride)
        x = _pyramid(features.high, head, output_stride, resize)
        if head.decoder:
            x = _decoder(x, features.low, head, resize)
        x = conv(x, LOGITS, head.classes, use_bias=True)
        logits = resize_to(x, size, resize, name="logits_resize")
        return keras.Model(image, logits, name="deeplab")


def check_size(size: tuple[int, int], *, output_stride: int, resize: str) -> None:
    """Raise unless every grid of a network covers a picture of this size exactly.

    Corners stay on pixels where a side is ``k * stride + 1``; with the other
    alignments a side is ``k * stride``. The decoder's stride of 4 divides both output
    strides, so its grid then fits too.

    Raises
    ------
    InputError
        The size breaks the stride (the message says which fit), or there is no such
        stride or alignment.

    Examples
    --------
    >>> check_size((513, 257), output_stride=16, resize="align-corners")
    """
    if output_stride not in OUTPUT_STRIDES:
        raise InputError(f"output stride must be 8 or 16, got {output_stride}")
    extra = 1 if resize == "align-corners" else 0
    if all(_fits(side, output_stride, extra) for side in size):
        return
    form = f"k*{output_stride}" + ("+1" if extra else "")
    nearest = " and ".join(
        f"{name} {_nearest(side, output_stride, extra)}"
        for name, side in zip(("height", "width"), size, strict=True)
        if not _fits(side, output_stride, extra)
    )
    raise InputError(
        f"size {size[0]}x{size[1]} breaks output stride {output_stride} with {resize} "
        f"resizing, whose sides are {form}: choose {nearest}"
    )


def _fits(side: int, stride: int, extra: int) -> bool:
    return side > stride and (side - extra) % stride == 0


def _nearest(side: int, stride: int, extra: int) -> str:
    below = max((side - extra) // stride, 2 - extra) * stride + extra
    return str(below) if below >= side else f"{below} or {below + stride}"


def _pyramid(
    x: KerasTensor, head: SegmentationHead, output_stride: int, resize: str
) -> KerasTensor:
    """Join the context of several reaches; the pooled picture comes first."""
    layers = need("keras").layers
    pooled = layers.GlobalAveragePooling2D(keepdims=True, name="global_pool")(x)
    pooled = _conv(pooled, "image_pooling", head.width, "image_pooling_relu")
    grid = (x.shape[1], x.shape[2])
    branches = [
        resize_to(pooled, grid, resize, name="image_pooling_resize"),
        _conv(x, "aspp0", head.width, "aspp0_activation"),
    ]
    for i, rate in enumerate(_RATES if head.pyramid else (), 1):
        rate *= 16 // output_stride
        branch = separable(x, f"aspp{i}", head.width, rate=rate, epsilon=_EPSILON)
        branches.append(branch)
    joined = layers.Concatenate(name="aspp_concat")(branches)
    return _conv(joined, "concat_projection", head.width, "concat_projection_relu")


def _decoder(
    x: KerasTensor, low: KerasTensor, head: SegmentationHead, resize: str
) -> KerasTensor:
    """Bring the context to the grid of the low features and mix both."""
    grid = (low.shape[1], low.shape[2])
    x = resize_to(x, grid, resize, name="decoder_resize")
    name = "feature_projection0"
    low = _conv(low, name, head.low_width, f"{name}_relu")
    x = need("keras").layers.Concatenate(name="decoder_concat")([x, low])
    width = head.decoder_width or head.width
    for name in ("decoder_conv0", "decoder_conv1"):
        x = separable(x, name, width, epsilon=_EPSILON)
    return x


def _conv(x: KerasTensor, name: str, channels: int, relu: str) -> KerasTensor:
    return normalize(conv(x, name, channels), name, _EPSILON, relu=relu)
