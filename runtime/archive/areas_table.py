"""Rows of areas as a folder of Parquet files, each written whole.

They are also what a run goes on by. The row checkpoints of Ray Data 2.60 were tried in
their place: rows of paths are so small that it gathers all 20,000 of them before it
writes any, so that a kill after 25 of 45 seconds left none and no checkpoint.
"""

from __future__ import annotations

import re
import sys
import time
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.pictures.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from edgeseg.devices.types import Json, Untyped

FOLDER = "areas"
_PART = re.compile(r"part-\d{6,}\.parquet")
_ROWS = 20_000  # of a file
_EVERY_S = 30.0  # or what came in so long: a kill costs as much


def schema() -> Untyped:
    """Return the columns: one row a picture or frame."""
    import pyarrow as pa

    a_class = pa.struct(
        [
            ("id", pa.uint8()),
            ("label", pa.string()),
            ("area", pa.int64()),
            ("share", pa.float64()),
            ("centroid_x", pa.float64()),
            ("centroid_y", pa.float64()),
        ]
    )
    return pa.schema(
        [
            ("name", pa.string()),
            ("source", pa.string()),
            ("frame", pa.int32()),
            ("time_s", pa.float64()),
            ("height", pa.int32()),
            ("width", pa.int32()),
            ("classes", pa.list_(a_class)),
        ]
    )


class AreasTable:
    """The rows of an archive; what earlier runs have written stays.

    Parameters
    ----------
    folder : Path
        Of the Parquet files; made with the first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts = _parts_in(folder)
        self._next = 1 + _number(self._parts[-1]) if self._parts else 0
        self._rows: list[Json] = []
        self._since_s = time.monotonic()

    def names(self) -> set[str]:
        """Return the pictures and frames that had a row when this was opened.

        Raises
        ------
        InputError
            A file cannot be read.
        """
        return set(self.sources())

    def sources(self) -> dict[str, str]:
        """Return the same with the file or URL that each was read from.

        Raises
        ------
        InputError
            A file cannot be read.
        """
        found: dict[str, str] = {}
        for path in self._parts:
            # a video's frames share one text
            found.update((name, sys.intern(at)) for name, at in _sources_in(path))
        return found

    def add(self, rows: Iterable[Json]) -> None:
        """Take rows, and write them when there are enough."""
        if not self._rows:
            self._since_s = time.monotonic()
        self._rows += rows
        waited_s = time.monotonic() - self._since_s
        if len(self._rows) >= _ROWS or waited_s >= _EVERY_S:
            self.write()

    def write(self) -> None:
        """Write what has been taken.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        if not self._rows:
            return
        import pyarrow as pa
        from pyarrow import parquet

        table = pa.Table.from_pylist(self._rows, schema=schema())
        path = self._folder / f"part-{self._next:06d}.parquet"
        with replacing(path) as temporary:
            parquet.write_table(table, temporary, compression="zstd")
        self._rows = []
        self._next += 1


def _parts_in(folder: Path) -> list[Path]:
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if _PART.fullmatch(path.name))


def _number(part: Path) -> int:
    return int(part.stem.removeprefix("part-"))


def _sources_in(path: Path) -> Iterator[tuple[str, str]]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(path, columns=["name", "source"])
        names, sources = table["name"].to_pylist(), table["source"].to_pylist()
    except (OSError, pa.ArrowException, KeyError) as error:
        raise InputError(
            f"cannot read {path}: {reason_of(error)}; remove it, and what it had is "
            "done again"
        ) from error
    return zip(names, sources, strict=True)
