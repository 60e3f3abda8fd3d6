"""Whether what is fast is also right: labels beside edgeseg's, and against truth."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.benchmarks.studies.conversions import SEVEN
from edgeseg.benchmarks.studies.peers.models import label_set
from edgeseg.devices import ModelError
from edgeseg.runtime.accuracy.matching import Matching, match_labels
from edgeseg.runtime.accuracy.scores import confusion_matrix, scores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.benchmarks.studies.peers.worker import Opened
    from edgeseg.devices.types import Json
    from edgeseg.runtime.accuracy.dataset import Dataset


def label_maps(opened: Opened, pictures: Sequence[Path]) -> list[NDArray[np.uint8]]:
    """Return a worker's class ids of each picture.

    Parameters
    ----------
    opened : Opened
        Its process.
    pictures : sequence of Path
        ``.npy`` files of ``(H, W, 3)`` uint8 RGB.
    """
    import numpy as np

    maps = []
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "ids.npy"
        for picture in pictures:
            opened.worker.times(picture, warm=0, repeat=1, ids=answer)
            ids, frame = np.load(answer), np.load(picture, mmap_mode="r")
            if ids.shape != frame.shape[:2]:
                raise ModelError(
                    f"gave labels of {ids.shape} for a picture of {frame.shape[:2]}"
                )
            maps.append(ids)
    return maps


def agreement(
    first: Sequence[NDArray[np.uint8]], second: Sequence[NDArray[np.uint8]]
) -> float:
    """Return the share of equal labels over all pixels of all pictures, 0..1."""
    import numpy as np

    equal = sum(np.count_nonzero(a == b) for a, b in zip(first, second, strict=True))
    return float(equal / sum(one.size for one in first))


def seven_class_miou(
    maps: Sequence[NDArray[np.uint8]], dataset: Dataset, names: Sequence[str]
) -> float:
    """Return the mIoU over the seven classes, one confusion matrix, void dropped.

    Parameters
    ----------
    maps : sequence of ndarray
        ``(H, W)`` uint8 of the classes of `dataset`, at the pictures' own sizes.
    dataset : Dataset
        Gives the truth.
    names : sequence of str
        The pictures.
    """
    import numpy as np

    matched = match_labels(dataset.labels, dataset.labels, Matching(SEVEN))
    count = len(matched.labels)
    matrix = np.zeros((count, count), np.int64)
    for ids, name in zip(maps, names, strict=True):
        truth = matched.truth_table[dataset.truth(name)]
        matrix += confusion_matrix(truth, matched.predicted_table[ids], count)
    return scores(matrix, matched.labels, matched.chosen).miou


def score_labels(
    references: Mapping[str, Opened],
    peers: Mapping[str, Opened],
    float_model: Opened,
    pictures: Sequence[Path],
    dataset: Dataset,
    names: Sequence[str],
    *,
    progress: Callable[[str], None],
) -> tuple[dict[str, Json], dict[str, str]]:
    """Return agreement and mIoU of everyone, and why a peer failed.

    Parameters
    ----------
    references, peers
        See `race`.
    float_model : Opened
        edgeseg on the float file that the int8 networks are made of.
    pictures : sequence of Path
        ``.npy`` files.
    dataset : Dataset
        Their truth.
    names : sequence of str
        Their names there.
    progress : callable
        Called with a line for each.
    """
    exact = label_maps(float_model, pictures)
    own = {name: label_maps(one, pictures) for name, one in references.items()}
    failed: dict[str, str] = {}
    rows: dict[str, Json] = {}

    def add(name: str, reference: str, maps: list[NDArray[np.uint8]]) -> None:
        rows[name] = {
            "agreement_with_edgeseg": agreement(maps, own[reference]),
            "miou_7_classes": None
            if label_set(reference) is None
            else seven_class_miou(maps, dataset, names),
        }
        if reference == "int8-513":
            rows[name]["agreement_with_float"] = agreement(maps, exact)

    add("edgeseg float-513", "int8-513", exact)
    for name, maps in own.items():
        add(f"edgeseg {name}", name, maps)
    for name, peer in peers.items():
        progress(f"labels of {name}")
        try:
            add(name, peer.reference, label_maps(peer, pictures))
        except ModelError as error:
            failed[name] = str(error)
    return rows, failed
