"""Names of classes in annotations, brought to class ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.model.labels import VOID, load_labels, same_name

if TYPE_CHECKING:
    from collections.abc import Iterable

# Class names that annotators give to what must not count, reduced as `same_name` does
_IGNORED = frozenset({"void", "ignore", "ignored", "ignoreregion", "dontcare"})
_BACKGROUND = "background"


@dataclass(frozen=True)
class Classes:
    """The classes of a data set that names them.

    Class 0 is the background: the class of that name, or one that is put in front.
    Names such as ``void``, ``ignore`` and ``dont_care`` become void (255).

    Parameters
    ----------
    labels : tuple of str
        One name a class id.
    ids : dict of str to int
        The class id of each name of the annotations; 255 for what must not count.
    """

    labels: tuple[str, ...]
    ids: dict[str, int]

    @classmethod
    def of(cls, names: Iterable[str], where: object) -> Classes:
        """Return classes in the order of their names; a second name is the same class.

        Raises
        ------
        InputError
            There are more than 255 classes, or none.

        Examples
        --------
        >>> Classes.of(["crack", "ignore", "hole"], "a file").labels
        ('background', 'crack', 'hole')
        """
        unique = list(dict.fromkeys(names))
        if not unique:
            raise InputError(f"{where} names no classes: expected one or more")
        counted = [name for name in unique if same_name(name) not in _IGNORED]
        own = next((n for n in counted if same_name(n) == _BACKGROUND), None)
        others = [name for name in counted if name != own]
        labels = (own or _BACKGROUND, *others)
        if len(labels) > VOID:
            raise InputError(
                f"{where} names {len(labels)} classes with background: masks hold at "
                f"most {VOID}; merge some"
            )
        ids = {name: VOID for name in unique} | {n: i for i, n in enumerate(labels)}
        return cls(labels, ids)

    def id_of(self, name: str, where: object) -> int:
        """Return a name's class id, or raise `InputError` where it is unknown."""
        if name not in self.ids:
            known = ", ".join(list(self.ids)[:12])
            raise InputError(f"{where}: unknown class {name!r}; known: {known}")
        return self.ids[name]


def named(labels: tuple[str, ...], chosen: str | None) -> tuple[str, ...]:
    """Return a data set's labels, or those that the user chose for its class ids."""
    return labels if chosen is None else load_labels(chosen).labels
