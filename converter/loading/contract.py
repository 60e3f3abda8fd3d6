"""The contract of a model format as a function that any author of one can call."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.loading.format import Loading, RawModel
from edgeseg.devices import ModelError

if TYPE_CHECKING:
    from edgeseg.converter.loading.format import Format

_RESIZES = (None, "align-corners", "half-pixel", "legacy")


def check_format(format_: Format, path: Path, loading: Loading | None = None) -> None:
    """Raise unless a format keeps the contract of `Format`.

    Parameters
    ----------
    format_ : Format
        What the plugin's ``PLUGIN()`` gives.
    path : Path
        A small segmentation model in this format, a file or a folder; it is read
        twice, and damaged copies of it are made elsewhere.
    loading : Loading or None
        Options that the model needs; None for none.

    Raises
    ------
    AssertionError
        The contract is broken; the message says where.
    """
    import numpy as np

    options, content = loading or Loading(), _content(path)
    _check(bool(format_.name), "name is there")
    loaded = set(sys.modules)
    _check(format_.claims(path) is True, "claims its own model")
    _check(not set(sys.modules) - loaded, "claims imports nothing")
    first, second = format_.read(path, options), format_.read(path, options)
    _check_raw(first)
    weights = [model.model.get_weights() for model in (first, second)]
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other, "same file, other weights")
    with tempfile.TemporaryDirectory() as folder:
        _check_others(format_, Path(folder))
        _check_damaged(format_, path, Path(folder), options)
    _check(_content(path) == content, "reading leaves the model as it is")


def _check_raw(raw: RawModel) -> None:
    _check(isinstance(raw, RawModel), "read gives a RawModel")
    _check(raw.resize in _RESIZES, f"resize is one of {_RESIZES}")
    notes = isinstance(raw.notes, tuple) and all(isinstance(n, str) for n in raw.notes)
    _check(notes, "notes are lines of text")
    for kind in ("inputs", "outputs"):
        shapes = [tuple(tensor.shape) for tensor in getattr(raw.model, kind)]
        _check(
            [len(shape) for shape in shapes] == [4], f"one tensor (N, H, W, C): {kind}"
        )
        if raw.size_fixed:
            _check(shapes[0][0] == 1 and None not in shapes[0], "size_fixed is true")


def _check_others(format_: Format, folder: Path) -> None:
    empty, text = folder / "empty", folder / "text"
    empty.mkdir()
    text.write_text("no model\n", "utf-8")
    _check(format_.claims(empty) is False, "claims no empty folder")
    _check(format_.claims(text) is False, "claims no text")


def _check_damaged(format_: Format, path: Path, folder: Path, options: Loading) -> None:
    """Cut the model's largest file in half: not claimed, or refused with our error."""
    copy = folder / "damaged"
    if path.is_dir():
        shutil.copytree(path, copy)
    else:
        shutil.copy(path, copy)
    largest = max(_files(copy), key=lambda file: file.stat().st_size)
    largest.write_bytes(largest.read_bytes()[: largest.stat().st_size // 2])
    if not format_.claims(copy):
        return
    try:
        format_.read(copy, options)
    except ModelError:
        return
    raise AssertionError("a damaged model was read")


def _files(path: Path) -> list[Path]:
    return (
        sorted(f for f in path.rglob("*") if f.is_file()) if path.is_dir() else [path]
    )


def _content(path: Path) -> list[bytes]:
    return [file.read_bytes() for file in _files(path)]


def _check(holds: bool, rule: str) -> None:
    if not holds:
        raise AssertionError(f"model format contract broken: {rule}")
