"""The contract of backbones, and the layers that all of them are made of.

Layer names are those of the public Keras DeepLabv3+ release: weights are keyed by
them. A layer ``NAME`` without bias is followed by its batch normalization ``NAME_BN``.

References
----------
L.-C. Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation",
2017 (strides traded for rates). https://github.com/bonlime/keras-deeplab-v3-plus
(layer names, epsilons and padding).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from edgeseg.converter.frameworks import need
from edgeseg.devices import ModelError, PluginFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from typing_extensions import Self

    from edgeseg.converter.frameworks import KerasTensor

BACKBONES = PluginFolder("backbone", "edgeseg.converter.backbones")

BACKBONE_EPSILON = 1e-3


@dataclass(frozen=True)
class Features:
    """Feature maps of a picture ``(1, H, W, 3)``, as Keras tensors.

    Parameters
    ----------
    low : keras.KerasTensor
        ``(1, ceil(H / 4), ceil(W / 4), c)``: what a decoder sharpens borders with.
    high : keras.KerasTensor
        ``(1, ceil(H / s), ceil(W / s), C)`` at the output stride ``s``.
    """

    low: KerasTensor
    high: KerasTensor


class Backbone(ABC):
    """A network from a picture to feature maps; an instance knows its widths.

    A plugin file defines ``PLUGIN``, a subclass of this whose instances compare by
    value and that can be made without arguments.
    """

    marker: ClassVar[str]
    """A layer with weights that no other backbone has."""
    output_stride: ClassVar[int]
    """The stride that the public release was trained with."""
    atrous_pyramid: ClassVar[bool]
    """Whether the release has atrous branches on it."""

    @classmethod
    @abstractmethod
    def from_kernels(cls, kernels: Mapping[str, tuple[int, ...]]) -> Self:
        """Infer the widths from the kernels of a weights file.

        Parameters
        ----------
        kernels : mapping of str to tuple of int
            Shape of the kernel of each layer, by layer name.

        Raises
        ------
        ModelError
            A layer whose width is needed is missing.
        """

    @abstractmethod
    def build(self, image: KerasTensor, output_stride: int) -> Features:
        """Return the feature maps of a Keras tensor ``(1, H, W, 3)``.

        Parameters
        ----------
        image : keras.KerasTensor
            Values -1..1.
        output_stride : {8, 16}
            Of the high features; strides beyond it become rates.
        """


def backbone_classes() -> dict[str, type[Backbone]]:
    """Return the class of each backbone, by name."""
    return {
        name: cast("type[Backbone]", BACKBONES.load(name)) for name in BACKBONES.names()
    }


def width_of(kernels: Mapping[str, tuple[int, ...]], layer: str) -> int:
    """Return the output channels of a convolution.

    Raises
    ------
    ModelError
        The layer is missing.

    Examples
    --------
    >>> width_of({"Conv": (3, 3, 3, 32)}, "Conv")
    32
    """
    if layer not in kernels:
        raise ModelError(
            f"the weights lack the layer {layer!r}: truncated, or of another network?"
        )
    return kernels[layer][-1]


def atrous(
    strides: Sequence[int], output_stride: int, *, reached: int = 2
) -> Iterator[tuple[int, int]]:
    """Give stride and rate of each block, strides beyond the output stride as rates.

    Parameters
    ----------
    strides : sequence of int
        What the blocks have for classification, at output stride 32.
    output_stride : int
        Where to stop shrinking.
    reached : int
        Stride of the first block's input.

    Examples
    --------
    >>> list(atrous([2, 2, 1, 2, 1], 8))
    [(2, 1), (2, 1), (1, 1), (1, 1), (1, 2)]
    """
    rate = 1
    for stride in strides:
        if reached < output_stride:
            reached *= stride
            yield stride, 1
        else:
            yield 1, rate
            rate *= stride


def conv(x: KerasTensor, name: str, channels: int, **options: object) -> KerasTensor:
    """Apply a convolution without bias, 1x1 and padded to the same size by default.

    Parameters
    ----------
    x : keras.KerasTensor
        ``(1, h, w, c)``.
    name : str
        Of the layer.
    channels : int
        Of the result.
    **options
        Of ``keras.layers.Conv2D``.
    """
    options = {"kernel_size": 1, "padding": "same", "use_bias": False} | options
    return need("keras").layers.Conv2D(channels, name=name, **options)(x)


def depthwise(
    x: KerasTensor, name: str, *, stride: int = 1, rate: int = 1, **options: object
) -> KerasTensor:
    """Apply a 3x3 depthwise convolution without bias, padded to the same size.

    Parameters
    ----------
    x : keras.KerasTensor
        ``(1, h, w, C)``.
    name : str
        Of the layer.
    stride, rate : int
        At most one of them more than 1.
    **options
        Of ``keras.layers.DepthwiseConv2D``.
    """
    options = {"padding": "same", "use_bias": False} | options
    layer = need("keras").layers.DepthwiseConv2D
    return layer(3, strides=stride, dilation_rate=rate, name=name, **options)(x)


def normalize(
    x: KerasTensor,
    name: str,
    epsilon: float = BACKBONE_EPSILON,
    *,
    relu: str | None = None,
    ceiling: float | None = None,
) -> KerasTensor:
    """Apply ``NAME_BN`` and, where asked for, a ReLU.

    Parameters
    ----------
    x : keras.KerasTensor
        ``(1, h, w, C)``.
    name : str
        Of the convolution before.
    epsilon : float
        Of the batch normalization.
    relu : str or None
        Name of the ReLU; None leaves it out.
    ceiling : float or None
        Where the ReLU stops.
    """
    layers = need("keras").layers
    x = layers.BatchNormalization(epsilon=epsilon, name=f"{name}_BN")(x)
    return x if relu is None else layers.ReLU(ceiling, name=relu)(x)


def separable(
    x: KerasTensor, name: str, channels: int, *, rate: int = 1, epsilon: float
) -> KerasTensor:
    """Apply ``NAME_depthwise`` and ``NAME_pointwise``, a ReLU after each.

    Parameters
    ----------
    x : keras.KerasTensor
        ``(1, h, w, c)``.
    name : str
        Prefix of the layers.
    channels : int
        Of the result.
    rate : int
        Of the depthwise convolution.
    epsilon : float
        Of the batch normalizations.
    """
    first, second = f"{name}_depthwise", f"{name}_pointwise"
    x = depthwise(x, first, rate=rate)
    x = normalize(x, first, epsilon, relu=f"{first}_relu")
    x = conv(x, second, channels)
    return normalize(x, second, epsilon, relu=f"{second}_relu")
