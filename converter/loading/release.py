"""The public Keras DeepLabv3+ release: from its weights-only .h5 to a Keras model.

Such a file names its layers and no more. Backbone, decoder, classes and
widths follow from names and shapes; the output stride and the picture's size cannot,
and are taken from the file's name or from how the release was trained. `Release.notes`
says which.

References
----------
https://github.com/bonlime/keras-deeplab-v3-plus
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.loading.release_weights import (
    assign,
    is_release_layout,
    kernel_shapes,
    read_weights,
)
from edgeseg.converter.networks.backbone import BACKBONES, backbone_classes
from edgeseg.converter.networks.deeplab import (
    SegmentationHead,
    build_deeplab,
    check_size,
)
from edgeseg.converter.networks.resizing import ALIGNMENTS
from edgeseg.devices import InputError, ModelError

if TYPE_CHECKING:
    from collections.abc import Collection

    from edgeseg.converter.frameworks import KerasModel
    from edgeseg.converter.networks.backbone import Backbone

__all__ = ["ReleaseModel", "architectures", "is_release_layout", "load_release"]

_DECODER = ("decoder_conv", "feature_projection")
# Numbers of a file's name that may be a picture's size: VOC2012 is none
_SIZES = range(65, 1282)
_FAMILIES = ("deeplabv3", "deeplabv3plus")


@dataclass(frozen=True)
class ReleaseModel:
    """A network with the weights of a file.

    Parameters
    ----------
    model : keras.Model
        Input ``(1, H, W, 3)`` float32 -1..1, output ``(1, H, W, C)`` float32 logits.
    resize : str
        Alignment of every resize in it, as a manifest names it.
    notes : tuple of str
        What was inferred or assumed, one sentence each.
    arch : str
        Its architecture; see `architectures`.
    output_stride : int
        8 or 16.
    """

    model: KerasModel
    resize: str
    notes: tuple[str, ...]
    arch: str
    output_stride: int


def architectures() -> tuple[str, ...]:
    """Return the names of all architectures.

    Examples
    --------
    >>> "deeplabv3plus-xception" in architectures()
    True
    """
    backbones = [name.replace("_", "") for name in BACKBONES.names()]
    return tuple(f"{family}-{name}" for family in _FAMILIES for name in backbones)


def load_release(
    path: Path | str,
    *,
    arch: str | None = None,
    size: tuple[int, int] | None = None,
    output_stride: int | None = None,
    resize: str = "align-corners",
) -> ReleaseModel:
    """Build the network that a release-layout file belongs to, with its weights.

    Parameters
    ----------
    path : Path or str
        A weights-only ``.h5`` in the layout of the public release.
    arch : str or None
        One of `architectures`; None infers it from the layer names.
    size : (int, int) or None
        Height and width of the picture; None takes a number in the file's name that
        fits, else 513 (512 where corners are not aligned).
    output_stride : {8, 16} or None
        None takes ``os8`` or ``os16`` in the file's name, else the release's own for
        the backbone.
    resize : {"align-corners", "half-pixel", "legacy"}
        Alignment of all resizes. The public weights were trained with the first.

    Raises
    ------
    ModelError
        The file is missing, damaged, of another network or architecture, or holds
        values that are not finite; the message names the layer.
    InputError
        An option is unknown, or the size breaks the output stride.
    MissingDriverError
        The extra ``convert`` is not installed.
    """
    path = Path(path)
    _check_options(arch, output_stride, resize)
    weights = read_weights(path)
    found = _architecture(path, weights.keys())
    if arch is not None and arch != found:
        raise ModelError(_contradiction(path, arch, found, list(weights)))
    notes = [] if arch else [f"architecture {found} from the layer names"]
    decoder = found.startswith("deeplabv3plus")
    kernels = kernel_shapes(weights)
    kind = _backbone_class(found)
    try:
        backbone: Backbone = kind.from_kernels(kernels)
        head = SegmentationHead.from_kernels(
            kernels,
            decoder=decoder,
            pyramid=kind.atrous_pyramid or "aspp1_depthwise" in weights,
        )
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    notes.append(f"{head.classes} classes and {backbone} from the shapes")
    stride, why = _output_stride(path, output_stride, kind.output_stride)
    notes += why
    shape, why = _size(path, size, stride, resize)
    notes += why
    model = build_deeplab(
        backbone, head, size=shape, output_stride=stride, resize=resize
    )
    assign(model, weights, path)
    return ReleaseModel(model, resize, tuple(notes), found, stride)


def _check_options(arch: str | None, output_stride: int | None, resize: str) -> None:
    if arch is not None and arch not in architectures():
        raise InputError(
            f"unknown architecture {arch!r}; known: {', '.join(architectures())}"
        )
    if output_stride not in (None, 8, 16):
        raise InputError(f"output stride must be 8 or 16, got {output_stride}")
    if resize not in ALIGNMENTS:
        raise InputError(
            f"resize must be one of {', '.join(ALIGNMENTS)}; got {resize!r}"
        )


def _architecture(path: Path, layers: Collection[str]) -> str:
    kinds = backbone_classes()
    found = [name for name, kind in kinds.items() if kind.marker in layers]
    if len(found) != 1:
        some = ", ".join(map(repr, list(layers)[:3]))
        raise ModelError(
            f"{path} is of another network: expected layers of one of "
            f"{', '.join(kinds)}, got {len(layers)} layers such as {some or 'none'}"
        )
    plus = any(layer.startswith(_DECODER) for layer in layers)
    return f"{_FAMILIES[plus]}-{found[0].replace('_', '')}"


def _backbone_class(arch: str) -> type[Backbone]:
    wanted = arch.split("-")[1]
    kinds = backbone_classes().items()
    return next(kind for name, kind in kinds if name.replace("_", "") == wanted)


def _contradiction(path: Path, arch: str, found: str, layers: list[str]) -> str:
    family, backbone = arch.split("-")
    if backbone != found.split("-")[1]:
        expected = repr(_backbone_class(arch).marker)
        got = repr(_backbone_class(found).marker)
    else:
        decoder = repr(next((n for n in layers if n.startswith(_DECODER)), "none"))
        plus = family == "deeplabv3plus"
        expected = "a decoder such as 'decoder_conv0_depthwise'" if plus else "none"
        got = "none (no decoder)" if plus else f"{decoder} (a decoder)"
    return f"{path}: {arch} has {expected}, the file has {got}: it is {found}"


def _output_stride(
    path: Path, asked: int | None, default: int
) -> tuple[int, list[str]]:
    if asked is not None:
        return asked, []
    named = re.search(r"(?<![a-z])os(8|16)(?!\d)", path.stem.lower())
    if named:
        return int(named[1]), [f"output stride {named[1]} from the file's name"]
    return default, [f"output stride {default} as the public release for its backbone"]


def _size(
    path: Path, asked: tuple[int, int] | None, stride: int, resize: str
) -> tuple[tuple[int, int], list[str]]:
    if asked is not None:
        return asked, []
    for number in map(int, re.findall(r"(?<![^_\-.])\d+(?![^_\-.])", path.stem)):
        if number in _SIZES and _valid(number, stride, resize):
            return (number, number), [f"size {number}x{number} from the file's name"]
    side = 513 if resize == "align-corners" else 512
    return (side, side), [f"size {side}x{side}, as the file's name has none that fits"]


def _valid(side: int, stride: int, resize: str) -> bool:
    try:
        check_size((side, side), output_stride=stride, resize=resize)
    except InputError:
        return False
    return True
