"""Pre- and post-processing at their plainest: what the fast ones must equal.

Every class is interpolated at every pixel in float32 and compared with the best so
far; every pixel is looked up in the encoding table. The tests compare label maps with
these, `stages` times them. Functions are pure and keep no buffers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import ModelError
from edgeseg.runtime.model.head import threshold
from edgeseg.runtime.segmentation.grid_axis import grid_coordinates
from edgeseg.runtime.segmentation.letterbox import Letterbox, scale_and_pad

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices import TensorSpec
    from edgeseg.devices.types import Array
    from edgeseg.runtime.model.head import Head
    from edgeseg.runtime.model.manifest import Manifest

# Output pixels worked on at a time: bounds the memory of a large photo.
_BLOCK_PIXELS = 1 << 19


def plain_tensor(
    frame: NDArray[np.uint8],
    input_hw: tuple[int, int],
    manifest: Manifest,
    table: Array,
) -> Array:
    """Return a fresh input tensor ``(1, H, W, 3)`` for a frame ``(h, w, 3)`` uint8."""
    frame_hw = (frame.shape[0], frame.shape[1])
    placement = Letterbox.of(frame_hw, input_hw, manifest.fit)
    return encode(
        scale_and_pad(frame, placement, manifest.pad), table, manifest.channels
    )


def encode(canvas: NDArray[np.uint8], table: Array, channels: str) -> Array:
    """Look every pixel up in an encoding table.

    Parameters
    ----------
    canvas : ndarray
        ``(H, W, 3)`` uint8 RGB.
    table : ndarray
        ``(256, 3)``, from `encoding_table`.
    channels : {"rgb", "bgr"}
        The network's channel order; the table's columns are in that order.

    Returns
    -------
    ndarray
        ``(1, H, W, 3)`` of the table's dtype.
    """
    import numpy as np

    ordered = canvas if channels == "rgb" else canvas[..., ::-1]
    if (table == table[:, :1]).all():
        return np.take(table[:, 0], ordered)[None]
    planes = [np.take(table[:, c], ordered[..., c]) for c in range(3)]
    return np.stack(planes, axis=-1)[None]


def plain_class_ids(
    output: Array,
    spec: TensorSpec,
    head: Head,
    placement: Letterbox,
    resize: str,
) -> NDArray[np.uint8]:
    """Return class ids ``(H, W)`` uint8; parameters are those of `class_ids`."""
    rows, columns = (
        grid_coordinates(
            placement.picture_hw[axis],
            placement.scaled_hw[axis],
            placement.input_hw[axis],
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
    above = _above(threshold(output, spec, head.kind))
    return _blockwise(above, planes, rows, columns)


def _planes(output: Array, head: Head) -> NDArray[np.float32]:
    """Return scores as ``(C, h, w)`` float32; the order of values is what counts."""
    import numpy as np

    scores = output[0].transpose(2, 0, 1) if head.channel_axis == -1 else output[0]
    planes = np.ascontiguousarray(scores, np.float32)
    if not np.isfinite(planes).all():
        raise ModelError("the model gave scores that are not finite numbers")
    return planes


def _nearest(
    ids: Array, rows: NDArray[np.float64], columns: NDArray[np.float64]
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
