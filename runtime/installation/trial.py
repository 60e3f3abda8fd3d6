"""A model is tried before it is used: whether it runs, its labels, its time."""

from __future__ import annotations

import itertools
import json
import logging
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, ManifestError, ModelError
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.installation.comparing import compare_labels, compare_times
from edgeseg.runtime.pictures.files import read_ids
from edgeseg.runtime.segmentation.segmenter import Segmenter
from edgeseg.runtime.shipped import find_model, photo_folder
from edgeseg.runtime.sources.folder import FolderSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json
    from edgeseg.runtime.installation.comparing import Answers

MOST_PICTURES = 50
_log = logging.getLogger(__name__)
_RECORD, _MAPS = "reference.json", "ids"  # of what `edgeseg reference` makes


@dataclass(frozen=True)
class Conditions:
    """What a model has to fulfil, and what it is tried on.

    Parameters
    ----------
    check : Path or None
        A model, or a folder of label maps, whose labels count; None takes the model
        in use.
    least : float
        Share of labels that must be equal, 0..1.
    slower : float
        Multiple of the time of the model in use that it may take, at the 90th
        percentile.
    pictures : Path or None
        Folder of pictures; None takes those of the store, else those that ship.
    device : str
        Device string.
    threads : int or None
        Threads of an inference.
    """

    check: Path | None = None
    least: float = 0.985
    slower: float = 1.25
    pictures: Path | None = None
    device: str = "auto"
    threads: int | None = None


class ShortfallError(ModelError):
    """A model does not fulfil a condition."""


def try_model(
    model: Path, in_use: Path | None, kept: Path, conditions: Conditions
) -> Json:
    """Run a model and hold it against what is expected of it.

    Parameters
    ----------
    model : Path
        The new one; it may come from anywhere.
    in_use : Path or None
        The one that it is to replace.
    kept : Path
        Folder of the pictures that the user keeps for this.
    conditions : Conditions
        What it has to fulfil.

    Returns
    -------
    dict
        What was measured: ``agreement`` (0..1) over ``pictures`` ``against`` what,
        ``new_p90_ms``, ``old_p90_ms``; only what there was something to compare with.

    Raises
    ------
    ShortfallError
        A condition is not fulfilled.
    ModelError, ManifestError, InputError
        It does not run here, or is no segmentation model; the pictures or the
        reference cannot be used.
    """
    with ExitStack() as stack:
        new = _opened(stack, model, conditions)
        pictures = _pictures(kept, conditions)
        frames = [frame for _, frame in itertools.islice(pictures(), 5)]
        if not frames:
            raise InputError("expected pictures to try the model on, got none")
        new.segment(frames[0])
        old = None if in_use is None else _opened_if_good(stack, in_use, conditions)
        found = _labels_of(new, old, pictures(), conditions)
        if old is None:
            return found
        found |= {"pictures_timed": len(frames)}
        times = compare_times(frames, new, old, conditions.slower)
        if times.ratio > conditions.slower:
            raise ShortfallError(
                f"the new model is too slow: {times.new_ms:.1f} ms at the 90th "
                f"percentile, the one in use takes {times.old_ms:.1f}; expected at "
                f"most {conditions.slower:g} times as long (--slower), got "
                f"{times.ratio:.2f}"
            )
        return found | times.to_dict()


def _opened(stack: ExitStack, model: Path, conditions: Conditions) -> Segmenter:
    opened = Segmenter.open(model, device=conditions.device, threads=conditions.threads)
    return stack.enter_context(opened)


def _opened_if_good(
    stack: ExitStack, model: Path, conditions: Conditions
) -> Segmenter | None:
    """Open the model in use, None where it does not run: then any other is better."""
    try:
        return _opened(stack, model, conditions)
    except (ModelError, ManifestError) as error:
        _log.warning(
            "nothing to compare with, the model in use does not run: %s", error
        )
        return None


def _pictures(kept: Path, conditions: Conditions) -> _Pictures:
    chosen = conditions.pictures
    if chosen is None:
        is_filled = kept.is_dir() and any(kept.iterdir())
        chosen = kept if is_filled else photo_folder()
    if not chosen.is_dir():
        raise InputError(f"--pictures: expected a folder of pictures, got {chosen}")
    return _Pictures(chosen)


@dataclass(frozen=True)
class _Pictures:
    folder: Path

    def __call__(self) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        """Give names and frames ``(H, W, 3)`` uint8 RGB of what can be read."""
        with FolderSource(str(self.folder)) as source:
            for capture in itertools.islice(source.captures(), MOST_PICTURES):
                yield capture.name, capture.frame


def _labels_of(
    new: Segmenter,
    old: Segmenter | None,
    pictures: Iterator[tuple[str, NDArray[np.uint8]]],
    conditions: Conditions,
) -> Json:
    """Compare labels, if there is something to compare them with."""
    check = conditions.check
    if check is None and old is None:
        return {}
    with ExitStack() as stack:
        if check is not None and check.is_dir():
            labels, answer = _stored_labels(check, new), _stored_answers(check)
            against = check.name
        else:
            path = None if check is None else find_model(check)
            other = old if path is None else _opened(stack, path, conditions)
            assert other is not None
            labels, answer = other.manifest.labels, _answers(other)
            against = "the model in use" if path is None else path.name
        found = compare_labels(
            pictures, _answers(new), new.manifest.labels, answer, labels
        )
    if found.share < conditions.least:
        raise ShortfallError(
            f"the labels change: {found.share:.2%} of the pixels of {found.pictures} "
            f"pictures have the label that {against} gives them, expected at least "
            f"{conditions.least:.2%} (--least)"
        )
    return {
        "agreement": round(found.share, 6),
        "pictures": found.pictures,
        "against": against,
    }


def _answers(segmenter: Segmenter) -> Answers:
    return lambda name, frame: segmenter.segment(frame).ids


def _stored_answers(folder: Path) -> Answers:
    """Return the label maps of a reference, or of a folder that ``masks:`` filled."""
    inside = folder / _MAPS
    maps = inside if inside.is_dir() else folder

    def answer(name: str, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        path = maps / f"{name}.png"
        if not path.is_file():
            raise InputError(
                f"--check: expected a label map of each picture, {path} is missing: "
                "choose the same pictures with --pictures"
            )
        return read_ids(path)

    return answer


def _stored_labels(folder: Path, new: Segmenter) -> Sequence[str]:
    """Return the names that a reference has for its ids, else the new model's own."""
    path = folder / _RECORD
    if not path.is_file():
        return new.manifest.labels
    try:
        labels = json.loads(path.read_bytes())["model_labels"]
        return [str(label) for label in labels]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"cannot read the reference {path}: {reason_of(error)}"
        ) from error


@contextmanager
def naming(shown: str, path: Path) -> Iterator[None]:
    """Put a model's name for the user in place of its path in what is raised."""
    try:
        yield
    except (ModelError, InputError) as error:
        text = str(error)
        if str(path) not in text:
            raise
        raise ModelError(text.replace(str(path), shown)) from error
