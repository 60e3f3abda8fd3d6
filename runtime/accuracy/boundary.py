"""Boundary IoU: the IoU of the pixels within a few pixels of each class's edge.

The IoU of a large area hardly sees its outline; this one sees nothing else. The
boundary region of a mask is the mask minus its erosion by `boundary_reach` pixels.
No mask goes beyond the picture, so the picture's border is an edge.

Void truth is cut out of both masks before they are eroded, not only before they are
counted: a prediction that equals the truth wherever there is truth scores 1, whatever
it says inside the void line that some data sets draw around each object.

References
----------
B. Cheng, R. Girshick, P. Dollar, A. C. Berg, A. Kirillov, "Boundary IoU: Improving
Object-Centric Image Segmentation Evaluation", CVPR 2021 (equation 1; d is 2 % of the
picture's diagonal, the erosion is by a square).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.scores import confusion_matrix
from edgeseg.runtime.model.labels import VOID

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SHARE_OF_DIAGONAL = 0.02


def boundary_reach(hw: tuple[int, int]) -> int:
    """Return the width of the boundary region in pixels, at least 1.

    Parameters
    ----------
    hw : (int, int)
        Height and width of the picture.

    Examples
    --------
    >>> boundary_reach((375, 500))
    12
    """
    return max(1, round(_SHARE_OF_DIAGONAL * math.hypot(*hw)))


def boundary_region(ids: NDArray[np.uint8], reach: int) -> NDArray[np.bool_]:
    """Return which pixels are in the boundary region of their own class.

    A pixel outlives the erosion of its class's mask exactly where its whole
    neighbourhood has one id, so that two passes serve all classes at once.

    Parameters
    ----------
    ids : ndarray
        ``(H, W)`` uint8 class ids.
    reach : int
        Pixels that the erosion takes off; its square is ``2 * reach + 1`` wide.

    Returns
    -------
    ndarray
        ``(H, W)`` bool.

    Examples
    --------
    >>> import numpy as np
    >>> boundary_region(np.zeros((3, 4), np.uint8), 1).astype(int)
    array([[1, 1, 1, 1],
           [1, 0, 0, 1],
           [1, 1, 1, 1]])
    """
    import cv2
    import numpy as np

    square = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    constant = cv2.BORDER_CONSTANT
    # outside the picture the least id is 0 and the greatest 255: never one id
    least = cv2.erode(ids, square, borderType=constant, borderValue=0)
    greatest = cv2.dilate(ids, square, borderType=constant, borderValue=255)
    return np.asarray(least != greatest, np.bool_)


def boundary_matrix(
    truth: NDArray[np.uint8], predicted: NDArray[np.uint8], classes: int
) -> NDArray[np.int64]:
    """Count the pixels of the boundary regions by true and predicted class.

    The matrices of many pictures add up to that of the data set, and `class_iou` of
    the sum is the boundary IoU of each class.

    Parameters
    ----------
    truth, predicted : ndarray
        ``(H, W)`` uint8 class ids; 255 in ``truth`` is void.
    classes : int
        Number of classes, at most 254; both ids are below it.

    Returns
    -------
    ndarray
        ``(classes + 1, classes + 1)`` int64, truth down, prediction across; the last
        row and column count the pixels inside, away from every edge.

    Raises
    ------
    InputError
        Sizes differ, an id is out of range, or there are too many classes.
    """
    import numpy as np

    if classes >= VOID:
        raise InputError(f"boundary IoU counts at most 254 classes, got {classes}")
    if truth.shape != predicted.shape:
        raise InputError(
            f"truth and prediction differ in size: {truth.shape} and {predicted.shape}"
        )
    reach = boundary_reach((truth.shape[0], truth.shape[1]))
    inside = np.uint8(classes)
    void = truth == VOID
    regions = []
    for ids in (truth, np.where(void, np.uint8(VOID), predicted)):
        regions.append(np.where(boundary_region(ids, reach), ids, inside))
    return confusion_matrix(
        np.where(void, np.uint8(VOID), regions[0]), regions[1], classes + 1
    )
