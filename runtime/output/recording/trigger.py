"""What starts a recording: a question that is put to each frame's result."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from edgeseg.runtime.drawing.look import Look, shown_ids
from edgeseg.runtime.segmentation.segmenter import Segmentation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeseg.runtime.model.manifest import Manifest

# Whether what is to be recorded is in a frame now; called for each frame, in order
Trigger = Callable[[Segmentation], bool]


def class_trigger(names: Sequence[str], area: float, manifest: Manifest) -> Trigger:
    """Return a trigger that is true while a class covers enough of the picture.

    Parameters
    ----------
    names : sequence of str
        Classes, any of which is enough, by label or id.
    area : float
        Part of the picture, 0..1; one pixel in any case.
    manifest : Manifest
        Gives the labels.

    Raises
    ------
    InputError
        There is no such class.
    """
    table = shown_ids(Look(classes=tuple(names)), manifest)
    wanted = {class_id for class_id in range(len(table)) if table[class_id]}

    def covers(segmentation: Segmentation) -> bool:
        least = max(area * segmentation.ids.size, 1)
        return any(
            pixels >= least
            for class_id, pixels in segmentation.areas.items()
            if class_id in wanted
        )

    return covers
