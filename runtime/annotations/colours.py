"""Masks in colour, brought to class ids by a table of colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.pictures.files import read_picture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.model.labels import Colour

_SHOWN = 4  # unknown colours in a message
_TABLES = (
    "class_dict.csv",
    "label_colors.txt",
    "label_colours.txt",
    "colors.txt",
    "colours.txt",
)
_LONGEST = 1_000_000  # bytes of a table of colours


def ids_of_colours(path: Path, ids: Mapping[Colour, int]) -> NDArray[np.uint8]:
    """Return the class ids ``(H, W)`` uint8 of a mask in colour.

    Parameters
    ----------
    path : Path
        An RGB picture without loss; a palette PNG counts by its colours.
    ids : mapping of (int, int, int) to int
        The class id, or 255, of each RGB colour.

    Raises
    ------
    InputError
        It cannot be read, or has colours that are not in the table.
    """
    import numpy as np

    codes = _codes(read_picture(path))
    known = np.array(sorted((r << 16) | (g << 8) | b for r, g, b in ids), np.uint32)
    by_code = {
        (r << 16) | (g << 8) | b: class_id for (r, g, b), class_id in ids.items()
    }
    places = np.minimum(np.searchsorted(known, codes), known.size - 1)
    strange = known[places] != codes
    if strange.any():
        raise InputError(_strange(path, codes[strange]))
    table = np.array([by_code[int(code)] for code in known], np.uint8)
    return table[places]


def colour_table_in(root: Path) -> Path | None:
    """Return a folder's table of colours by its usual names; None without one."""
    return next((root / name for name in _TABLES if (root / name).is_file()), None)


def read_table(path: Path) -> str:
    """Return the text of a small file that lists classes or colours.

    Raises
    ------
    InputError
        It cannot be read, or is far too large for that.
    """
    try:
        if path.stat().st_size > _LONGEST:
            raise InputError(
                f"{path}: expected a list of classes, got {path.stat().st_size} bytes"
            )
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {reason_of(error)}") from error


def colour_of(values: Sequence[str], where: str) -> Colour:
    """Return the colour that three texts write, each 0 to 255.

    Examples
    --------
    >>> colour_of(["192", " 0", "0"], "here")
    (192, 0, 0)
    """
    numbers = [int(v) if v.strip().isdecimal() else -1 for v in values]
    if len(numbers) != 3 or not all(0 <= number <= 255 for number in numbers):
        raise InputError(
            f"{where}: expected a colour of three numbers 0 to 255, got "
            f"{','.join(values)!r}"
        )
    red, green, blue = numbers
    return red, green, blue


def _codes(frame: NDArray[np.uint8]) -> NDArray[np.uint32]:
    import numpy as np

    wide = frame.astype(np.uint32)
    red, green, blue = (wide[..., channel] for channel in range(3))
    return ((red << 16) | (green << 8) | blue).astype(np.uint32)


def _strange(path: Path, codes: NDArray[np.uint32]) -> str:
    import numpy as np

    found, counts = np.unique(codes, return_counts=True)
    most = found[np.argsort(-counts)][:_SHOWN]
    listed = ", ".join(
        f"{code >> 16},{code >> 8 & 255},{code & 255}" for code in map(int, most)
    )
    return (
        f"{path}: {codes.size} pixels have colours of no class, such as {listed}: "
        "expected the colours of the table and a format without loss"
    )
