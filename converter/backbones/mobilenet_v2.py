"""MobileNetV2 of any width.

References
----------
M. Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from edgeseg.converter.frameworks import need
from edgeseg.converter.networks.backbone import (
    Backbone,
    Features,
    atrous,
    conv,
    depthwise,
    normalize,
    width_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from edgeseg.converter.frameworks import KerasTensor

# Seven stages of inverted residuals: how many blocks, stride of the first of them
_BLOCKS = (1, 2, 3, 4, 3, 3, 1)
_STRIDES = (1, 2, 2, 2, 1, 2, 1)
_EXPANSION = 6  # of every block but the first
_FIRSTS = tuple(sum(_BLOCKS[:stage]) for stage in range(len(_BLOCKS)))
_LOW_BLOCK = 2  # its depthwise convolution is the last at stride 4 before block 3


@dataclass(frozen=True)
class MobileNetV2(Backbone):
    """MobileNetV2 up to its last inverted residual.

    Parameters
    ----------
    stem : int
        Channels of the first convolution.
    projections : tuple of int
        Channels of the seven stages. Multiples of 8 by the paper; some public
        weights keep the unrounded ones, such as 12 for a width of 0.5.
    """

    stem: int = 32
    projections: tuple[int, ...] = (16, 24, 32, 64, 96, 160, 320)

    marker: ClassVar[str] = "expanded_conv_depthwise"
    output_stride: ClassVar[int] = 8
    atrous_pyramid: ClassVar[bool] = False

    @classmethod
    def from_kernels(cls, kernels: Mapping[str, tuple[int, ...]]) -> Self:
        """Infer the widths; see `Backbone.from_kernels`."""
        return cls(
            width_of(kernels, "Conv"),
            tuple(width_of(kernels, f"{_prefix(i)}_project") for i in _FIRSTS),
        )

    def build(self, image: KerasTensor, output_stride: int) -> Features:
        """Return the feature maps; see `Backbone.build`."""
        x = conv(image, "Conv", self.stem, kernel_size=3, strides=2)
        x = normalize(x, "Conv", relu="Conv_Relu6", ceiling=6.0)
        low = None
        for index, (channels, stride, rate) in enumerate(self._plan(output_stride)):
            name, entered = _prefix(index), x
            wide, x = _bottleneck(
                x, name, channels, stride, rate, _EXPANSION if index else 1
            )
            if index not in _FIRSTS:
                x = need("keras").layers.Add(name=f"{name}_add")([entered, x])
            low = wide if index == _LOW_BLOCK else low
        return Features(low, x)

    def _plan(self, output_stride: int) -> list[tuple[int, int, int]]:
        """Return channels, stride and rate of each block."""
        channels, strides = [], []
        stages = zip(self.projections, _BLOCKS, _STRIDES, strict=True)
        for width, blocks, stride in stages:
            channels += [width] * blocks
            strides += [stride] + [1] * (blocks - 1)
        schedule = atrous(strides, output_stride)
        return [(c, *pair) for c, pair in zip(channels, schedule, strict=True)]


def _prefix(index: int) -> str:
    return f"expanded_conv_{index}" if index else "expanded_conv"


def _bottleneck(
    x: KerasTensor, name: str, channels: int, stride: int, rate: int, expansion: int
) -> tuple[KerasTensor, KerasTensor]:
    """Return the block's wide features, before projection, and its result."""

    def named(wide: KerasTensor, role: str) -> KerasTensor:
        role = f"{name}_{role}"
        return normalize(wide, role, relu=f"{role}_relu", ceiling=6.0)

    wide = x
    if expansion > 1:
        wide = named(conv(x, f"{name}_expand", expansion * x.shape[-1]), "expand")
    wide = depthwise(wide, f"{name}_depthwise", stride=stride, rate=rate)
    wide = named(wide, "depthwise")
    out = conv(wide, f"{name}_project", channels)
    return wide, normalize(out, f"{name}_project")


PLUGIN = MobileNetV2
