"""Xception-65, as DeepLab modified it: strided separable convolutions, no pooling.

Strided convolutions are padded by hand, the same on all sides, so that corners stay
on pixels at any size; the first one is not, in the public release.

References
----------
F. Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", CVPR 2017.
L.-C. Chen et al., "Encoder-Decoder with Atrous Separable Convolution for Semantic
Image Segmentation", ECCV 2018, figure 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from edgeseg.converter.frameworks import need
from edgeseg.converter.networks.backbone import (
    BACKBONE_EPSILON,
    Backbone,
    Features,
    atrous,
    conv,
    depthwise,
    normalize,
    separable,
    width_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from edgeseg.converter.frameworks import KerasTensor

_ENTRY, _UNITS = 3, 16
_NAMES = (
    *(f"entry_flow_block{i}" for i in range(1, _ENTRY + 1)),
    *(f"middle_flow_unit_{i}" for i in range(1, _UNITS + 1)),
    "exit_flow_block1",
    "exit_flow_block2",
)
_STRIDES = (2,) * _ENTRY + (1,) * _UNITS + (2, 1)
_LOW = "entry_flow_block2"  # its second separable convolution is at stride 4


@dataclass(frozen=True)
class Xception(Backbone):
    """Xception-65 up to its last separable convolution.

    Parameters
    ----------
    stem : (int, int)
        Channels of the two first convolutions.
    entry : (int, int, int)
        Channels of the entry flow's blocks; the middle flow keeps the last.
    leaving : tuple of int
        Channels of the exit flow's six separable convolutions; the first are the
        middle flow's.
    """

    stem: tuple[int, ...] = (32, 64)
    entry: tuple[int, ...] = (128, 256, 728)
    leaving: tuple[int, ...] = (728, 1024, 1024, 1536, 1536, 2048)

    marker: ClassVar[str] = "entry_flow_conv1_1"
    output_stride: ClassVar[int] = 16
    atrous_pyramid: ClassVar[bool] = True

    @classmethod
    def from_kernels(cls, kernels: Mapping[str, tuple[int, ...]]) -> Self:
        """Infer the widths; see `Backbone.from_kernels`."""

        def widths(*names: str) -> tuple[int, ...]:
            return tuple(width_of(kernels, name) for name in names)

        entry = [f"{name}_shortcut" for name in _NAMES[:_ENTRY]]
        leaving = [
            f"{_separable(name, i)}_pointwise" for name in _NAMES[-2:] for i in range(3)
        ]
        return cls(
            widths("entry_flow_conv1_1", "entry_flow_conv1_2"),
            widths(*entry),
            # the exit flow's first block ends in a sum with its shortcut
            widths(*leaving[:2], "exit_flow_block1_shortcut", *leaving[3:]),
        )

    def build(self, image: KerasTensor, output_stride: int) -> Features:
        """Return the feature maps; see `Backbone.build`."""
        x, low = image, None
        for i, (channels, stride) in enumerate(zip(self.stem, (2, 1), strict=True), 1):
            name = f"entry_flow_conv1_{i}"
            x = conv(x, name, channels, kernel_size=3, strides=stride)
            x = normalize(x, name, relu=f"{name}_relu")
        schedule = atrous(_STRIDES, output_stride)
        for name, widths, step in zip(_NAMES, self._widths(), schedule, strict=True):
            middle, x = _block(x, name, widths, *step)
            low = middle if name == _LOW else low
        return Features(low, x)

    def _widths(self) -> list[tuple[int, ...]]:
        entry = [(width,) * 3 for width in self.entry]
        return [*entry, *entry[-1:] * _UNITS, self.leaving[:3], self.leaving[3:]]


def _block(
    x: KerasTensor, name: str, widths: tuple[int, ...], stride: int, rate: int
) -> tuple[KerasTensor, KerasTensor]:
    """Return what two and what all three separable convolutions of a block give."""
    if name == _NAMES[-1]:  # no shortcut, and its ReLUs come after the convolutions
        for i, width in enumerate(widths):
            part = _separable(name, i)
            x = separable(x, part, width, rate=rate, epsilon=BACKBONE_EPSILON)
        return None, x
    middle = out = x
    for i, width in enumerate(widths):
        middle = out
        step = stride if i == 2 else 1
        out = _pre_activated(out, _separable(name, i), width, step, rate)
    shortcut = x
    if name in (*_NAMES[:_ENTRY], "exit_flow_block1"):
        shortcut = conv(x, f"{name}_shortcut", widths[-1], strides=stride)
        shortcut = normalize(shortcut, f"{name}_shortcut")
    return middle, need("keras").layers.Add(name=f"{name}_add")([out, shortcut])


def _pre_activated(
    x: KerasTensor, name: str, channels: int, stride: int, rate: int
) -> KerasTensor:
    """Apply a ReLU, then a separable convolution without one."""
    layers = need("keras").layers
    x, padding = layers.ReLU(name=f"{name}_relu")(x), "same"
    if stride > 1:
        x, padding = layers.ZeroPadding2D(1, name=f"{name}_pad")(x), "valid"
    first, second = f"{name}_depthwise", f"{name}_pointwise"
    x = depthwise(x, first, stride=stride, rate=rate, padding=padding)
    x = conv(normalize(x, first), second, channels)
    return normalize(x, second)


def _separable(name: str, index: int) -> str:
    return f"{name}_separable_conv{index + 1}"


PLUGIN = Xception
