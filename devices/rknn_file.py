"""The description at the end of a ``.rknn`` file, which Rockchip's toolkit makes.

Rockchip does not document the form. This is what version 2.5 was seen to write:
``RKNN`` and four zero bytes, two little-endian numbers of 8 bytes (the form's version,
and the length of what follows the 64 bytes of the head), and behind that the length of
a text in JSON, and the text::

    {"graph": [{"left": "input", "right_tensor_id": 0, ...}, ...],
     "norm_tensor": [{"tensor_id": 0, "url": "image", "size": [1, 3, 385, 385], ...}],
     "target_platform": ["rk3588"], "version": "2.5.0", ...}
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices.errors import ModelError
from edgeseg.devices.plain_text import one_line, reason_of

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json

_MAGIC = b"RKNN\0\0\0\0"
_HEAD = 64  # bytes
_LONGEST = 1 << 20  # bytes of text; a description has one kilobyte


@dataclass(frozen=True)
class RknnTensor:
    """Name and fixed shape of an input or output, as the network has it."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class RknnFile:
    """What a ``.rknn`` file says of itself.

    Parameters
    ----------
    chips : tuple of str
        That it was compiled for, such as ``"rk3588"``.
    version : str
        Of the toolkit.
    inputs, outputs : tuple of RknnTensor
        In order.
    """

    chips: tuple[str, ...]
    version: str
    inputs: tuple[RknnTensor, ...]
    outputs: tuple[RknnTensor, ...]


def read_rknn(path: Path) -> RknnFile:
    """Return what a file says of itself.

    Raises
    ------
    ModelError
        It cannot be read, or is no such file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read {path}: {reason_of(error)}") from error
    return parse_rknn(content, str(path))


def parse_rknn(content: bytes, name: str) -> RknnFile:
    """Return what the bytes of a file say of it; messages call it `name`.

    Raises
    ------
    ModelError
        It is no ``.rknn`` file, or one of another form.
    """
    if not content.startswith(_MAGIC):
        raise ModelError(
            f"{name} is no .rknn file: expected one of edgeseg compile MODEL.onnx "
            "--device rk3588"
        )
    try:
        (length,) = struct.unpack_from("<Q", content, 16)
        if length > len(content):
            raise ValueError("cut short")
        (size,) = struct.unpack_from("<Q", content, _HEAD + length)
        start = _HEAD + length + 8
        if size > _LONGEST or start + size > len(content):
            raise ValueError("cut short")
        values = json.loads(content[start : start + size])
        return RknnFile(
            chips=tuple(str(chip).lower() for chip in values["target_platform"]),
            version=str(values["version"]),
            inputs=_tensors(values, "input"),
            outputs=_tensors(values, "output"),
        )
    except (struct.error, LookupError, ValueError, TypeError, RecursionError) as error:
        raise ModelError(
            f"{name} is damaged, or of a form of .rknn that is not known here "
            f"({one_line(error)}): compile it again"
        ) from error


def _tensors(values: Json, end: str) -> tuple[RknnTensor, ...]:
    known = {tensor["tensor_id"]: tensor for tensor in values["norm_tensor"]}
    found = [
        known[entry["right_tensor_id"]]
        for entry in values["graph"]
        if entry["left"] == end
    ]
    return tuple(
        RknnTensor(str(tensor["url"]), tuple(int(side) for side in tensor["size"]))
        for tensor in found
    )
