"""``.keras`` files of half the size: the same network, its weights as float16.

A weight keeps 11 bits, and int8 has 8. Keras computes in float32 with them all the
same: it reads numbers of any type into the variables that a network has.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need
from edgeseg.converter.loading.formats.keras_file import WEIGHTS
from edgeseg.converter.loading.mending.portable import write_archive
from edgeseg.devices import ConversionError

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Module


def save_half(source: Path, target: Path) -> None:
    """Write a ``.keras`` file anew with float16 weights.

    Parameters
    ----------
    source : Path
        From `save_portable`.
    target : Path
        Another, or the same; of one source it gets the same bytes each time.

    Raises
    ------
    ConversionError
        A weight is larger than float16 can hold.
    OutputError
        The file cannot be written.
    """
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members[WEIGHTS] = _halved(members[WEIGHTS], source)
    write_archive(target, members)


def _halved(content: bytes, source: Path) -> bytes:
    h5py = need("h5py")
    small = io.BytesIO()
    with h5py.File(io.BytesIO(content)) as old, h5py.File(small, "w") as new:
        _copy(h5py, old, new, source)
    return small.getvalue()


def _copy(h5py: Module, old: Module, new: Module, source: Path) -> None:
    """Copy a group with all below it, float32 arrays as float16."""
    import numpy as np

    new.attrs.update(old.attrs)
    for name, item in old.items():
        if isinstance(item, h5py.Group):
            _copy(h5py, item, new.create_group(name), source)
            continue
        values = item[()]
        if item.dtype == np.float32:
            with np.errstate(over="ignore"):
                values = values.astype(np.float16)
            if not np.isfinite(values).all():
                raise ConversionError(
                    f"{source}: {item.name} holds numbers beyond 65504, more than "
                    "float16 can hold: keep its weights as they are"
                )
        new.create_dataset(name, data=values).attrs.update(item.attrs)
