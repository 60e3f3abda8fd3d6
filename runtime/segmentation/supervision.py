"""Class ids as detections of the package supervision, for its annotators and filters.

References
----------
https://supervision.roboflow.com/latest/detection/core/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import MissingDriverError
from edgeseg.runtime.model.labels import background_ids

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Untyped


def detections(ids: NDArray[np.uint8], labels: tuple[str, ...]) -> Untyped:
    """Return ``supervision.Detections``: one entry a class that occurs.

    Parameters
    ----------
    ids : ndarray
        ``(H, W)`` uint8 class ids.
    labels : tuple of str
        One name a class id; empty where unknown.

    Returns
    -------
    supervision.Detections
        ``mask`` ``(N, H, W)`` bool, ``xyxy`` the rectangle around it with its right
        and lower pixel, ``class_id``, and ``data["class_name"]``. Background is left
        out.

    Raises
    ------
    MissingDriverError
        supervision is not installed.
    """
    import numpy as np

    try:
        import supervision
    except ImportError as error:
        raise MissingDriverError(
            "to_supervision needs the package supervision, which is not installed: pip "
            "install supervision"
        ) from error
    left_out = background_ids(labels)
    found = [i for i in np.unique(ids).tolist() if i not in left_out]
    if not found:
        return supervision.Detections.empty()
    masks = np.stack([ids == class_id for class_id in found])
    names = [labels[i] if i < len(labels) else str(i) for i in found]
    return supervision.Detections(
        xyxy=supervision.mask_to_xyxy(masks).astype(np.float32),
        mask=masks,
        class_id=np.array(found),
        data={"class_name": np.array(names)},
    )
