"""A look at an HDF5 file of weights, before anything reads values from it.

HDF5 has ways to put other files in the place of values: links, storage outside the
file, virtual data sets. Reading them reads whatever file they name. Keras writes none
of them. Nor does it write arrays that the file has no values for, which take any
amount of memory when they are read.
"""

from __future__ import annotations

import math
import mmap
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edgeseg.converter.frameworks import Hdf5Object
    from edgeseg.devices.types import Module

# Deflate, HDF5's densest compression, makes at most 1032 bytes of one
_DENSEST = 1032
# A global heap of version 1, and what comes before it and each of its pieces
_HEAP, _HEAD = b"GCOL\x01\0\0\0", 16
_KINDS = "biufcSV"  # numbers, texts of fixed length, and bfloat16 as raw bytes


def check_weights_file(path: Path) -> None:
    """Refuse an HDF5 file that holds anything but groups and arrays of its own.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    ValueError
        Names what it holds.
    OSError
        It is no HDF5 file, or damaged.
    """
    h5py = need("h5py")
    _check_heaps(path)
    with h5py.File(path, "r") as file:
        for name, found in _objects(h5py, file):
            if isinstance(found, h5py.Dataset):
                _check_array(name, found)
            elif not isinstance(found, h5py.Group):
                raise ValueError(f"{name} is neither a group nor an array")


def _check_heaps(path: Path) -> None:
    """Refuse a global heap with a piece of no length: HDF5 1.14 never gets past it.

    References
    ----------
    HDF5 File Format Specification, version 3.0, III.E: Disk Format: Global Heap.
    """
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        start = data.find(_HEAP)
        left = len(data) // _HEAD  # as many as there can be in heaps side by side
        while start >= 0:
            size = int.from_bytes(data[start + 8 : start + 16], "little")
            end, at = min(start + size, len(data)), start + _HEAD
            while at + _HEAD <= end:
                index = int.from_bytes(data[at : at + 2], "little")
                length = int.from_bytes(data[at + 8 : at + _HEAD], "little")
                left -= 1
                if left < 0 or (index == 0 and length == 0):
                    raise OSError(f"its heap at byte {start} is damaged")
                at += length if index == 0 else _HEAD + (length + 7) // 8 * 8
            start = data.find(_HEAP, start + 1)


def _objects(h5py: Module, file: Hdf5Object) -> Iterator[tuple[str, Hdf5Object]]:
    """Yield every object once, and follow no link."""
    waiting, seen = [("", file)], {_address(h5py, file)}
    while waiting:
        place, group = waiting.pop()
        for name in group:
            full = f"{place}/{name}"
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise ValueError(f"{full} is a link, to {_target(link)}")
            found = group[name]
            if _address(h5py, found) in seen:
                continue
            seen.add(_address(h5py, found))
            yield full, found
            if isinstance(found, h5py.Group):
                waiting.append((full, found))


def _address(h5py: Module, found: Hdf5Object) -> int:
    return int(h5py.h5o.get_info(found.id).addr)


def _target(link: Hdf5Object) -> str:
    file, path = getattr(link, "filename", None), getattr(link, "path", "?")
    return f"{path} in {file}" if file else f"{path}"


def _check_array(name: str, array: Hdf5Object) -> None:
    if array.external:
        raise ValueError(f"{name} has its values in another file")
    if array.is_virtual:
        raise ValueError(f"{name} is put together from other arrays")
    if array.shape is None or array.dtype.kind not in _KINDS or array.dtype.names:
        raise ValueError(f"{name} holds no numbers, but {array.dtype}")
    needed = math.prod(array.shape) * array.dtype.itemsize
    if needed > array.id.get_storage_size() * _DENSEST:
        raise ValueError(f"{name} of shape {array.shape} has no values in the file")
