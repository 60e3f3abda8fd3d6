"""A teacher asked beforehand: at several sizes and mirrored, its answers kept.

The mean over sizes and mirrors is better than any one answer, and costs as many
inferences as it has parts; kept, it costs them once.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from edgeseg.converter.conversion.keras_device import open_keras
from edgeseg.converter.loading.format import Loading
from edgeseg.converter.training.log import write_json
from edgeseg.converter.training.soft_answers import (
    DESCRIPTION,
    answer_path,
    description,
    grid_hw,
    write_answer,
)
from edgeseg.converter.training.teacher import answer_on, with_voc_names
from edgeseg.devices import InputError
from edgeseg.runtime import Overrides
from edgeseg.runtime.model.embedded import sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json
    from edgeseg.runtime import Segmenter
    from edgeseg.runtime.accuracy.dataset import Dataset

_EVERY = 20  # pictures between two lines


def ask(
    model: Path,
    dataset: Dataset,
    folder: Path,
    sizes: Sequence[int],
    *,
    labels: str | None = None,
    report: Callable[[str], None],
) -> None:
    """Write a teacher's answers for all pictures of a data set; see `soft_answers`.

    Pictures that have an answer are not asked for again, so that the same call goes on
    after a kill.

    Parameters
    ----------
    model : Path
        A Keras model whose weights take pictures of any size.
    dataset : Dataset
        The pictures.
    folder : Path
        Where the answers go.
    sizes : sequence of int
        Sides of the square inputs, 16 * k + 1; each is asked twice, once mirrored.
    labels : str or None
        Names of the teacher's classes, where its file has none.
    report : callable
        Called with a line now and then.

    Raises
    ------
    InputError
        The folder holds answers of another teacher.
    """
    _check_same(folder, origin(model, sizes, ()))
    missing = [name for name in dataset.ids if not answer_path(folder, name).exists()]
    with ExitStack() as opened:
        segmenters: list[Segmenter] = []
        for size in sizes if missing else ():
            one = with_voc_names(partial(_at_size, model, size), labels)
            segmenters.append(opened.enter_context(one))
        if segmenters:
            names = segmenters[0].manifest.labels
            write_json(folder / DESCRIPTION, origin(model, sizes, names))
        for done, name in enumerate(missing):
            if done % _EVERY == 0:
                report(f"asking the teacher: {len(missing) - done} pictures left")
            shares = _mean(segmenters, dataset.picture(name))
            write_answer(answer_path(folder, name), shares)


def _at_size(model: Path, size: int, labels: str | None) -> Segmenter:
    return open_keras(model, Overrides(labels=labels), Loading(size=(size, size)))


def origin(model: Path, sizes: Sequence[int], labels: Sequence[str]) -> Json:
    """Return the description of a folder of answers, as JSON values."""
    return {
        "format": 1,
        "labels": list(labels),
        "mirrored": True,
        "model_sha256": sha256(model),
        "sizes": list(sizes),
    }


def _check_same(folder: Path, own: Json) -> None:
    """Raise `InputError` where a folder's answers are others; labels may differ."""
    said = description(folder)
    if said is None and any(folder.rglob("*.npz")):
        raise InputError(
            f"{folder} holds answers that do not say what made them ({DESCRIPTION} is "
            "missing): name another folder, or take them as they are, by --teacher "
            f"{folder}"
        )
    differing = sorted(
        key for key in own.keys() - {"labels"} if said and said.get(key) != own[key]
    )
    if differing:
        raise InputError(
            f"{folder} holds answers of another teacher ({', '.join(differing)} "
            "differ): name another folder"
        )


def _mean(
    segmenters: Sequence[Segmenter], frame: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Return the mean answer over sizes and mirrors on the picture's grid."""
    import numpy as np

    hw = grid_hw(frame.shape[:2])
    mirrored = np.ascontiguousarray(frame[:, ::-1])
    total = np.zeros(1, np.float32)
    for segmenter in segmenters:
        total = total + answer_on(segmenter, frame, hw)
        total = total + answer_on(segmenter, mirrored, hw)[:, ::-1]
    mean: NDArray[np.float32] = total / np.float32(2 * len(segmenters))
    return mean
