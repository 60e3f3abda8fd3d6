"""From the output tensor to class ids at the picture's own size: pure functions.

Every output pixel's centre is followed back through the letterbox to the network's
grid, in one affine step with the model's own alignment: logits are interpolated
bilinearly there and then compared, class ids are taken from the nearest cell. What
lies on the padding is never reached.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeseg.devices import ManifestError, ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices import TensorSpec
    from edgeseg.runtime.preprocess import Placement

# Output pixels worked on at a time: bounds the memory of a large photo.
_BLOCK_PIXELS = 1 << 19


@dataclass(frozen=True)
class Head:
    """How to read the output tensor.

    Parameters
    ----------
    kind : {"labels", "logits", "probability", "logit"}
        Class ids; one score a class; a single channel, probability or logit.
    classes : int
        Channels of scores; 0 where the tensor does not tell.
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
        The manifest's word for it; None asks the tensor.
    labels : int
        Number of labels, which tells the channel axis; 0 where unknown.

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


def class_ids(
    output: NDArray[Any],
    spec: TensorSpec,
    head: Head,
    placement: Placement,
    resize: str,
) -> NDArray[np.uint8]:
    """Return the class of every pixel of the picture.

    Parameters
    ----------
    output : ndarray
        The output tensor, left as it is.
    spec : TensorSpec
        Its scale and zero point, needed for a single channel.
    head : Head
        From `head_of`.
    placement : Placement
        Where the picture lies on the network's input.
    resize : {"align-corners", "half-pixel", "legacy"}
        Where the grid's cells lie on the network's input.

    Returns
    -------
    ndarray
        ``(H, W)`` uint8 at the picture's own size.

    Raises
    ------
    ModelError
        A class id is negative or over 255, or scores are not numbers.
    """
    rows, columns = (
        grid_positions(
            placement.picture_hw[axis],
            placement.scaled_hw[axis],
            placement.canvas_hw[axis],
            head.grid_hw[axis],
            resize,
        )
        for axis in (0, 1)
    )
    if head.kind == "labels":
        return _nearest(output.reshape(head.grid_hw), rows, columns)
    planes = _planes(output, head)
    if head.kind == "logits":
        return _blockwise(_argmax, planes, rows, columns)
    return _blockwise(
        _above(_threshold(output, spec, head.kind)), planes, rows, columns
    )


def grid_positions(
    picture: int, scaled: int, canvas: int, grid: int, resize: str
) -> NDArray[np.float64]:
    """Return where the centres of a picture's pixels lie on a grid, along one axis.

    Parameters
    ----------
    picture, scaled, canvas, grid : int
        Lengths of the picture, of the picture on the canvas, of the canvas, and of
        the grid that covers the canvas.
    resize : {"align-corners", "half-pixel", "legacy"}
        Alignment of grid and canvas.

    Returns
    -------
    ndarray
        ``(picture,)`` float64 positions in cells, within 0 .. grid - 1.

    Examples
    --------
    >>> grid_positions(5, 5, 5, 3, "align-corners")
    array([0. , 0.5, 1. , 1.5, 2. ])
    """
    import numpy as np

    on_canvas = (np.arange(picture) + 0.5) * (scaled / picture) - 0.5
    on_canvas = np.clip(on_canvas, 0, scaled - 1)
    if resize == "align-corners":
        positions = on_canvas * ((grid - 1) / max(canvas - 1, 1))
    elif resize == "half-pixel":
        positions = (on_canvas + 0.5) * (grid / canvas) - 0.5
    else:
        positions = on_canvas * (grid / canvas)
    inside: NDArray[np.float64] = np.clip(positions, 0, grid - 1)
    return inside


def _grid(shape: tuple[int, ...], channel_axis: int) -> tuple[int, int]:
    return (shape[1], shape[2]) if channel_axis == -1 else (shape[2], shape[3])


def _channel_axis(shape: tuple[int, ...], labels: int) -> int:
    if labels and (shape[1] == labels) != (shape[3] == labels):
        return -1 if shape[3] == labels else 1
    return 1 if shape[1] < min(shape[2], shape[3]) else -1


def _single_channel(spec: TensorSpec, kind: str | None) -> str:
    """Tell probabilities from logits by what an 8-bit tensor can hold."""
    if kind in ("probability", "logit"):
        return kind
    if not spec.is_quantized:
        return "logit or probability"
    import numpy as np

    limits = np.iinfo(spec.dtype)
    low, high = ((v - spec.zero_point) * spec.scale for v in (limits.min, limits.max))
    return "probability" if low >= 0 and high <= 1.01 else "logit"


def _threshold(output: NDArray[Any], spec: TensorSpec, kind: str) -> float:
    if kind == "logit or probability":
        kind = "probability" if output.min() >= 0 and output.max() <= 1 else "logit"
    real = 0.5 if kind == "probability" else 0.0
    return real / spec.scale + spec.zero_point if spec.is_quantized else real


def _planes(output: NDArray[Any], head: Head) -> NDArray[np.float32]:
    """Return scores as ``(C, h, w)`` float32; the order of values is what counts."""
    import numpy as np

    scores = output[0].transpose(2, 0, 1) if head.channel_axis == -1 else output[0]
    planes = np.ascontiguousarray(scores, np.float32)
    if not np.isfinite(planes).all():
        raise ModelError("the model gave scores that are not finite numbers")
    return planes


def _nearest(
    ids: NDArray[Any], rows: NDArray[np.float64], columns: NDArray[np.float64]
) -> NDArray[np.uint8]:
    import numpy as np

    if ids.min() < 0 or ids.max() > 255:
        raise ModelError(
            f"expected class ids 0..255, the model gave {ids.min()}..{ids.max()}"
        )
    near_rows = np.floor(rows + 0.5).astype(np.intp)
    near_columns = np.floor(columns + 0.5).astype(np.intp)
    narrow = ids.astype(np.uint8)
    return np.take(np.take(narrow, near_rows, axis=0), near_columns, axis=1)


def _blockwise(
    decide: Callable[..., NDArray[np.uint8]],
    planes: NDArray[np.float32],
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
) -> NDArray[np.uint8]:
    import numpy as np

    step = max(1, _BLOCK_PIXELS // len(columns))
    blocks = [rows[start : start + step] for start in range(0, len(rows), step)]
    return np.concatenate([decide(planes, block, columns) for block in blocks])


def _argmax(
    planes: NDArray[np.float32],
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
) -> NDArray[np.uint8]:
    import numpy as np

    best = _interpolate(planes[0], rows, columns)
    ids = np.zeros(best.shape, np.uint8)
    for class_id in range(1, len(planes)):
        scores = _interpolate(planes[class_id], rows, columns)
        np.copyto(ids, class_id, where=scores > best)
        np.maximum(best, scores, out=best)
    return ids


def _above(threshold: float) -> Callable[..., NDArray[np.uint8]]:
    def decide(
        planes: NDArray[np.float32],
        rows: NDArray[np.float64],
        columns: NDArray[np.float64],
    ) -> NDArray[np.uint8]:
        import numpy as np

        return (_interpolate(planes[0], rows, columns) > threshold).astype(np.uint8)

    return decide


def _interpolate(
    plane: NDArray[np.float32],
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Return a plane at fractional positions, bilinearly: ``(rows, columns)``.

    Both steps gather whole rows, which are contiguous: columns first, on the
    transposed plane, and only for the grid rows that are needed.
    """
    import numpy as np

    first, last = int(rows[0]), min(int(rows[-1]) + 2, plane.shape[0])
    wide = _gather(plane[first:last].T, columns)
    return _gather(np.ascontiguousarray(wide.T), rows - first)


def _gather(
    plane: NDArray[np.float32], positions: NDArray[np.float64]
) -> NDArray[np.float32]:
    import numpy as np

    low = positions.astype(np.intp)
    high = np.minimum(low + 1, plane.shape[0] - 1)
    weight = (positions - low).astype(np.float32)[:, None]
    base = np.take(plane, low, axis=0)
    rise: NDArray[np.float32] = np.take(plane, high, axis=0)
    rise -= base
    rise *= weight
    rise += base
    return rise
