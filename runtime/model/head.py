"""What an output tensor holds: class ids, scores of classes, or one channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import ManifestError, ModelError

if TYPE_CHECKING:
    from edgeseg.devices import TensorSpec
    from edgeseg.devices.types import Array


@dataclass(frozen=True)
class Head:
    """How to read the output tensor.

    Parameters
    ----------
    kind : {"labels", "logits", "probability", "logit"}
        Class ids; one score a class; a single channel, probability or logit.
    classes : int
        Channels of scores; 0 where the tensor does not show it.
    grid_hw : (int, int)
        Height and width of the output's grid.
    channel_axis : int
        -1 (NHWC), 1 (NCHW); 0 where there are no channels.
    """

    kind: str
    classes: int
    grid_hw: tuple[int, int]
    channel_axis: int


def head_of(spec: TensorSpec, kind: str | None = None, labels: int = 0) -> Head:
    """Return how an output tensor is to be read.

    Parameters
    ----------
    spec : TensorSpec
        The model's output.
    kind : str or None
        The manifest's word for it; None goes by the tensor.
    labels : int
        Number of labels, which shows the channel axis; 0 where unknown.

    Raises
    ------
    ModelError
        The tensor is no label map and no map of scores.

    Examples
    --------
    >>> from edgeseg.devices import TensorSpec
    >>> head_of(TensorSpec("ids", (1, 513, 513), "int64")).kind
    'labels'
    >>> head_of(TensorSpec("scores", (1, 21, 65, 65), "int8")).channel_axis
    1
    """
    shape = spec.shape
    whole = spec.dtype in ("int32", "int64") or (
        spec.dtype in ("uint8", "int8", "int16") and not spec.is_quantized
    )
    if len(shape) == 3 and shape[0] == 1 and whole:
        return Head("labels", 0, (shape[1], shape[2]), 0)
    if len(shape) == 4 and shape[0] == 1 and whole and 1 in (shape[1], shape[3]):
        axis = -1 if shape[3] == 1 else 1
        return Head("labels", 0, _grid(shape, axis), axis)
    wide = spec.dtype in ("int32", "int64")
    if len(shape) != 4 or shape[0] != 1 or wide or kind == "labels":
        raise ModelError(
            "no segmentation model: expected one output of shape (1, H, W) with class "
            f"ids or (1, H, W, C) with scores, got {spec.dtype} {list(shape)}"
        )
    axis = _channel_axis(shape, labels)
    classes = shape[axis]
    if classes > 256:
        raise ModelError(
            f"expected at most 256 classes (ids are uint8), got an output of "
            f"{spec.dtype} {list(shape)}"
        )
    if classes > 1:
        if kind in ("probability", "logit"):
            raise ManifestError(
                f"manifest says head {kind!r} (one channel), but the output has "
                f"{classes} channels"
            )
        return Head("logits", classes, _grid(shape, axis), axis)
    return Head(_single_channel(spec, kind), 1, _grid(shape, axis), axis)


def threshold(output: Array, spec: TensorSpec, kind: str) -> float:
    """Return the stored value above which a single channel says class 1.

    Parameters
    ----------
    output : ndarray
        The output tensor; read where nothing else separates logits and probabilities.
    spec : TensorSpec
        Its scale and zero point.
    kind : str
        Of the `Head`.
    """
    real = 0.5 if single_channel(output, kind) == "probability" else 0.0
    return real / spec.scale + spec.zero_point if spec.is_quantized else real


def single_channel(output: Array, kind: str) -> str:
    """Return ``"probability"`` or ``"logit"`` for a single channel of scores.

    Parameters
    ----------
    output : ndarray
        Read where nothing else separates the two.
    kind : str
        Of the `Head`.
    """
    if kind != "logit or probability":
        return kind
    return "probability" if output.min() >= 0 and output.max() <= 1 else "logit"


def _grid(shape: tuple[int, ...], channel_axis: int) -> tuple[int, int]:
    return (shape[1], shape[2]) if channel_axis == -1 else (shape[2], shape[3])


def _channel_axis(shape: tuple[int, ...], labels: int) -> int:
    if labels and (shape[1] == labels) != (shape[3] == labels):
        return -1 if shape[3] == labels else 1
    return 1 if shape[1] < min(shape[2], shape[3]) else -1


def _single_channel(spec: TensorSpec, kind: str | None) -> str:
    """Return "probability" or "logit" by what an 8-bit tensor can hold."""
    if kind in ("probability", "logit"):
        return kind
    if not spec.is_quantized:
        return "logit or probability"
    import numpy as np

    limits = np.iinfo(spec.dtype)
    low, high = ((v - spec.zero_point) * spec.scale for v in (limits.min, limits.max))
    return "probability" if low >= 0 and high <= 1.01 else "logit"
