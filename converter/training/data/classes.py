"""The classes to be learnt: some of a data set's, the others merged into background.

The truth of a picture stays on disk as it is; a table brings its ids to the new ones
while it is read, in training and validation alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.dataset import Dataset
from edgeseg.runtime.model.labels import VOID, background_ids, same_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


class ChosenClasses(Dataset):
    """A data set with other class ids, and maybe fewer pictures.

    Parameters
    ----------
    dataset : Dataset
        Where pictures and masks come from.
    classes : sequence of str or None
        Names in the order of the new ids; None keeps the data set's.
    ids : sequence of str or None
        Pictures to take; None takes all.

    Raises
    ------
    InputError
        A name is not in the data set, or there are others and no background.
    """

    LAYOUT: ClassVar[str] = "another data set's"

    def __init__(
        self,
        dataset: Dataset,
        classes: Sequence[str] | None = None,
        ids: Sequence[str] | None = None,
    ) -> None:
        self._dataset = dataset
        self._labels = tuple(classes or dataset.labels)
        self._ids = tuple(dataset.ids if ids is None else ids)
        self._map = id_table(dataset.labels, self._labels, "the data set")

    @classmethod
    def recognizes(cls, root: Path) -> bool:
        """Return False: it is made of a data set that is open."""
        return False

    @classmethod
    def splits(cls, root: Path) -> tuple[str, ...]:
        """Return none: it is made of a data set that is open."""
        return ()

    def picture(self, name: str) -> NDArray[np.uint8]:
        """Return a picture; see `Dataset.picture`."""
        return self._dataset.picture(name)

    def picture_path(self, name: str) -> Path:
        """Return the path of the file that a picture is in."""
        return self._dataset.picture_path(name)

    def truth_path(self, name: str) -> Path:
        """Return the path of the file with a picture's truth."""
        return self._dataset.truth_path(name)

    def truth(self, name: str) -> NDArray[np.uint8]:
        """Return a picture's new class ids; see `Dataset.truth`."""
        return self._map[self._dataset.truth(name)]


def id_table(old: Sequence[str], new: Sequence[str], owner: str) -> NDArray[np.uint8]:
    """Return the new class id of each old one, by name: ``(256,)`` uint8.

    Old classes without a new one count as background, 255 stays void.

    Parameters
    ----------
    old, new : sequence of str
        Labels. A new name need not be among the old ones.
    owner : str
        Whose the old labels are, for messages.

    Raises
    ------
    InputError
        There are old classes without a new one, and no background to count them as.

    Examples
    --------
    >>> id_table(("background", "cat", "dog"), ("background", "dog"), "it")[:3].tolist()
    [0, 0, 1]
    """
    import numpy as np

    ids = {same_name(name): i for i, name in enumerate(new)}
    background = background_ids(tuple(new))
    table = np.full(256, VOID, np.uint8)
    for class_id, name in enumerate(map(same_name, old)):
        if name not in ids and not background:
            raise InputError(
                f"{owner} has the class {old[class_id]!r}, which is not among those "
                f"to be learnt ({', '.join(new)}), and no background to count it as: "
                "name background among --classes"
            )
        table[class_id] = ids[name] if name in ids else background[0]
    table[VOID] = VOID
    return table


def check_classes(known: Sequence[str], wanted: Sequence[str]) -> None:
    """Raise `InputError` unless the classes to learn are those of a data set.

    Parameters
    ----------
    known, wanted : sequence of str
        The data set's labels, and the names to learn.
    """
    names = [same_name(name) for name in wanted]
    unknown = [
        name for name in wanted if same_name(name) not in set(map(same_name, known))
    ]
    if unknown:
        raise InputError(
            f"no class {', '.join(map(repr, unknown))} in the data set; known: "
            f"{', '.join(known)}"
        )
    if len(set(names)) < len(names) or len(names) < 2:
        raise InputError(
            f"expected two or more classes, each once, got {', '.join(wanted)}"
        )
