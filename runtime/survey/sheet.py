"""A contact sheet: some pictures of a data set with their masks drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.dataset import picture_with_truth
from edgeseg.runtime.drawing.overlay import blend, colour_table, legend, outline
from edgeseg.runtime.model.labels import VOID, background_ids, label_set_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.accuracy.dataset import Dataset

_TILE_HW = 240, 320
_GAP, _CAPTION = 8, 22
_COLUMNS, _MOST = 5, 25
_GOLDEN = 0.618  # steps of this share of a list come to all its parts
_LOOKED_AT = 400  # pictures that are looked at to choose from
_WHITE, _VOID_COLOUR = 255, (224, 224, 192)


def contact_sheet(datasets: Sequence[tuple[str, Dataset]]) -> NDArray[np.uint8]:
    """Return a sheet of up to 25 pictures ``(H, W, 3)`` uint8 RGB.

    Pictures are spread over the splits, and chosen so that rare classes are seen.

    Parameters
    ----------
    datasets : sequence of (str, Dataset)
        Splits with their names.

    Raises
    ------
    InputError
        There is no picture that can be drawn.
    """
    import numpy as np

    tiles = []
    for place, (split, dataset) in enumerate(datasets):
        share = _MOST // len(datasets) + (place < _MOST % len(datasets))
        tiles += [_tile(split, dataset, name) for name in _chosen(dataset, share)]
    if not tiles:
        raise InputError("no picture with a mask that can be drawn on a sheet")
    rows = [tiles[i : i + _COLUMNS] for i in range(0, len(tiles), _COLUMNS)]
    columns = min(len(tiles), _COLUMNS)
    blank = np.full_like(tiles[0], _WHITE)
    lines = [np.hstack([*row, *[blank] * (columns - len(row))]) for row in rows]
    return np.vstack([*lines, _names(datasets[0][1], lines[0].shape[1])])


def _chosen(dataset: Dataset, count: int) -> list[str]:
    """Return names of pictures: in turn one of each class, the rarest class first."""
    import numpy as np

    step = max(1, len(dataset.ids) // _LOOKED_AT)
    having: dict[int, list[str]] = {}
    for name in dataset.ids[::step]:
        try:
            truth = picture_with_truth(dataset, name)[1]
        except InputError:
            continue
        for class_id in np.unique(truth).tolist():
            having.setdefault(class_id, []).append(name)
    queues = sorted(having.values(), key=len)
    chosen: dict[str, None] = {}
    while len(chosen) < count and any(queues):
        for queue in queues:
            left = [name for name in queue if name not in chosen]
            queue[:] = left
            if left and len(chosen) < count:
                # spread over the list, which often is sorted by place and time
                chosen[left[int(len(left) * (len(chosen) * _GOLDEN % 1))]] = None
    return sorted(chosen)


def _tile(split: str, dataset: Dataset, name: str) -> NDArray[np.uint8]:
    import cv2
    import numpy as np

    frame, truth = picture_with_truth(dataset, name)
    height, width = _TILE_HW
    scale = min(height / frame.shape[0], width / frame.shape[1])
    size_wh = tuple(max(1, round(side * scale)) for side in frame.shape[1::-1])
    small = np.asarray(
        cv2.resize(frame, size_wh, interpolation=cv2.INTER_AREA), np.uint8
    )
    ids = np.asarray(
        cv2.resize(truth, size_wh, interpolation=cv2.INTER_NEAREST), np.uint8
    )
    table, shown = _colours(dataset)
    drawn = outline(blend(small, ids, table, shown=shown), ids, table, shown=shown)
    tile = np.full((height + _CAPTION + _GAP, width + _GAP, 3), _WHITE, np.uint8)
    top, left = (height - size_wh[1]) // 2, (width - size_wh[0]) // 2
    tile[top : top + size_wh[1], left : left + size_wh[0]] = drawn
    text = f"{split}: {name}".encode("ascii", "replace").decode()
    place = (2, height + _CAPTION - 6)
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(tile, text[-40:], place, font, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return tile


def _colours(dataset: Dataset) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    import numpy as np

    table = colour_table(label_set_of(dataset.labels).palette)
    table[VOID] = _VOID_COLOUR
    shown = np.ones(256, np.bool_)
    shown[list(background_ids(dataset.labels))] = False
    return table, shown


def _names(dataset: Dataset, width: int) -> NDArray[np.uint8]:
    """Return a strip with the classes' names beside their colours."""
    import numpy as np

    table, shown = _colours(dataset)
    ids = [i for i in range(len(dataset.labels)) if shown[i]]
    names = [*(dataset.labels[i] for i in ids), "void"]
    line = 14
    strip = np.full((line * (len(names) + 2), width, 3), _WHITE, np.uint8)
    return legend(strip, names, [*(table[i] for i in ids), table[VOID]])
