"""Does a model answer here as the reference did there? Equal labels, by picture.

Equality is not to be expected: kernels of another processor or version round a score
the other way here and there, and where two classes are almost level a label follows.
What is expected is a share close to 1 on every picture; a wrong graph, a wrong input
or a broken kernel shows as a picture that is far off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import encodable
from edgeseg.runtime.accuracy.counters import count_flips
from edgeseg.runtime.accuracy.counting import Picture, count_pictures, of_total
from edgeseg.runtime.accuracy.result import flips_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from edgeseg.benchmarks.accuracy.reference import Reference
    from edgeseg.runtime import Segmenter
    from edgeseg.runtime.accuracy.dataset import Dataset
    from edgeseg.runtime.accuracy.result import Flips


def measure_parity(
    segmenter: Segmenter,
    reference: Reference,
    dataset: Dataset,
    *,
    limit: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Flips:
    """Segment the reference's pictures again and count which labels differ.

    Parameters
    ----------
    segmenter : Segmenter
        Open, with the reference's classes.
    reference : Reference
        Its label maps are held against the model's.
    dataset : Dataset
        Where the pictures are; its truth is not looked at.
    limit : int or None
        Take the first so many pictures.
    progress : callable or None
        Called with pictures done and pictures in all.

    Raises
    ------
    InputError
        A picture or label map is unusable, or their sizes differ.
    """
    names = reference.names[:limit]
    counted = count_pictures(
        _pictures(reference, dataset, names),
        [segmenter],
        count_flips,
        progress=of_total(progress, len(names)),
    )
    return flips_of(counted, segmenter.manifest.labels or dataset.labels)


def _pictures(
    reference: Reference, dataset: Dataset, names: Sequence[str]
) -> Iterator[Picture]:
    own_names = {encodable(name): name for name in dataset.ids}
    for name in names:
        frame = dataset.picture(own_names.get(name, name))
        theirs = reference.ids(name)
        if theirs.shape != frame.shape[:2]:
            raise InputError(
                f"picture and label map of {name} differ in size: "
                f"{frame.shape[1]}x{frame.shape[0]} and "
                f"{theirs.shape[1]}x{theirs.shape[0]}; make the reference again"
            )
        yield Picture(name, frame, reference=theirs)
