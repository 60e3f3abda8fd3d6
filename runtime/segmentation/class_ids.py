"""From the output tensor to class ids at the picture's own size: pure functions.

Every output pixel's centre is followed back through the letterbox to the network's
grid, in one affine step with the model's own alignment: logits are interpolated
bilinearly there and then compared, class ids are taken from the nearest cell. The
padding is never reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import ModelError
from edgeseg.runtime.model.head import threshold
from edgeseg.runtime.pictures.row_bands import row_bands
from edgeseg.runtime.segmentation.best_classes import best_classes
from edgeseg.runtime.segmentation.grid_axis import axis_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices import TensorSpec
    from edgeseg.devices.types import Array
    from edgeseg.runtime.model.head import Head
    from edgeseg.runtime.segmentation.grid_axis import Axis
    from edgeseg.runtime.segmentation.letterbox import Letterbox


def class_ids(
    output: Array,
    spec: TensorSpec,
    head: Head,
    letterbox: Letterbox,
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
    letterbox : Letterbox
        Where the picture is on the network's input.
    resize : {"align-corners", "half-pixel", "legacy"}
        How the grid's cells are aligned with the network's input.

    Returns
    -------
    ndarray
        ``(H, W)`` uint8 at the picture's own size, the caller's own.

    Raises
    ------
    ModelError
        A class id is negative or over 255, or scores are not numbers.
    """
    rows, columns = (
        axis_of(
            letterbox.picture_hw[axis],
            letterbox.scaled_hw[axis],
            letterbox.input_hw[axis],
            head.grid_hw[axis],
            resize,
        )
        for axis in (0, 1)
    )
    if head.kind == "labels":
        return _nearest(output.reshape(head.grid_hw), rows, columns)
    largest = _largest(output)
    planes = _planes(output, head, rows, columns)
    if head.kind != "logits":
        middle = threshold(output, spec, head.kind)
        planes, largest = _against(middle, planes), max(largest, abs(middle))
    return best_classes(planes, rows, columns, largest)


def _nearest(ids: Array, rows: Axis, columns: Axis) -> NDArray[np.uint8]:
    import cv2
    import numpy as np

    # a negative number is a large one without its sign: one look finds both
    if ids.view(f"u{ids.itemsize}").max() > 255 or ids.dtype == np.int8:
        _check_ids(ids)
    narrow = ids[: rows.needed, : columns.needed].astype(np.uint8)
    found = np.empty((len(rows.nearest), len(columns.nearest)), np.uint8)
    for lines in row_bands(*found.shape):
        high = np.take(narrow, rows.nearest[lines], axis=0)
        # whole rows are copied much faster than single ids are gathered
        turned = np.take(cv2.transpose(high), columns.nearest, axis=0)
        cv2.transpose(turned, dst=found[lines])
    return found


def _check_ids(ids: Array) -> None:
    if ids.min() < 0 or ids.max() > 255:
        raise ModelError(
            f"expected class ids 0..255, the model gave {ids.min()}..{ids.max()}"
        )


def _largest(output: Array) -> float:
    """Return a bound of the absolute scores; the order of values is what counts."""
    import numpy as np

    if output.dtype.kind in "iu":
        limits = np.iinfo(output.dtype)
        return float(max(-limits.min, limits.max))
    largest = max(-float(output.min()), float(output.max()))
    # the minimum of numbers with NaN is NaN, which `max` may or may not pass on
    if not np.isfinite(largest) or np.isnan(output.max()):
        raise ModelError("the model gave scores that are not finite numbers")
    return largest


def _planes(output: Array, head: Head, rows: Axis, columns: Axis) -> Array:
    """Return stored scores as ``(C, h, w)``, as far as the picture needs them."""
    import numpy as np

    if head.channel_axis == 1:
        return np.ascontiguousarray(output[0][:, : rows.needed, : columns.needed])
    import cv2

    # OpenCV transposes in blocks, many times faster than numpy; it asks for a type
    # that it knows (not float16), and only moves the bytes
    scores = np.ascontiguousarray(output[0][: rows.needed, : columns.needed])
    moved = scores.reshape(-1, head.classes).view(f"i{scores.itemsize}")
    planes = np.asarray(cv2.transpose(moved)).view(scores.dtype)
    return planes.reshape(head.classes, *scores.shape[:2])


def _against(middle: float, planes: Array) -> NDArray[np.float32]:
    """Return two classes for a single channel: class 1 wins above the middle."""
    import numpy as np

    second = planes.astype(np.float32)
    return np.concatenate([np.full_like(second, middle), second])
