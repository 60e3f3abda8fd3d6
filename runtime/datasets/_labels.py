"""Which names a data set's class ids have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.labels import load_labels

if TYPE_CHECKING:
    from pathlib import Path


def truth_labels(
    root: Path, chosen: str | None, default: str | None
) -> tuple[str, ...]:
    """Return what the user chose, else the folder's ``labels.txt``, else a default.

    Parameters
    ----------
    root : Path
        The data set's folder.
    chosen, default : str or None
        A name or file; see `load_labels`.

    Raises
    ------
    InputError
        There is nothing to choose, or it cannot be read.
    """
    own = root / "labels.txt"
    text = chosen or (str(own) if own.is_file() else default)
    if text is None:
        raise InputError(
            f"no class names in {root}: expected {own} with one name a line, in the "
            "order of the masks' ids"
        )
    return load_labels(text).labels
