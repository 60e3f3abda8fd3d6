"""ZIP archives that are not what they say."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import TYPE_CHECKING

from hostile.damage import damage
from hostile.texts import OUTSIDE, hostile_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

_CENTRAL, _LOCAL, _END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"
# offsets into a central directory entry and their widths: version, flags, method, CRC,
# packed and unpacked size, lengths of name, extra field and comment, place
_CENTRAL_FIELDS = (
    (6, 2), (8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2),
    (42, 4),
)  # fmt: skip
_LOCAL_FIELDS = ((4, 2), (6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2))
_END_FIELDS = ((4, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2))
_VALUES = (
    0,
    1,
    8,
    9,
    12,
    14,
    93,
    98,
    99,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0xFFFFFFFF,
)


def hostile_archive(
    entries: Mapping[str, bytes], rng: Random, before: bytes = b""
) -> bytes:
    """Return a ZIP archive of entries that lies, lacks or has too much.

    Parameters
    ----------
    entries : mapping of str to bytes
        Names and contents of a good one.
    rng : Random
        Decides.
    before : bytes
        What is in front of it, such as a flatbuffer.
    """
    content = dict(entries)
    draw = rng.random()
    if draw < 0.25:
        _change_entries(content, rng)
    data = before + _pack(content, rng)
    if draw < 0.35:
        return data
    if draw < 0.75:
        return _change_records(bytearray(data), rng)
    tail = damage(data[len(before) :], rng)
    return before + tail


def _change_entries(content: dict[str, bytes], rng: Random) -> None:
    name = rng.choice(sorted(content))
    what = rng.randrange(6)
    if what == 0:
        del content[name]
    elif what == 1:
        content[rng.choice((f"../{name}", f"/{name}", f"{name}/", OUTSIDE))] = b"x"
    elif what == 2:
        content[name] = bytes(rng.choice((0, 1 << 20, 64 << 20)))  # a small bomb
    elif what == 3:
        content[hostile_text(rng).replace("\0", "")[:60_000] or "x"] = content[name]
    elif what == 4:
        content.update({f"more{i}": b"" for i in range(5000)})
    else:
        content[name] = damage(content[name], rng)


def _pack(content: Mapping[str, bytes], rng: Random) -> bytes:
    buffer = io.BytesIO()
    method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    if rng.random() < 0.1:
        method = rng.choice((zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in content.items():
            safe = name.encode("utf-8", "replace").decode()
            archive.writestr(zipfile.ZipInfo(safe, (1980, 1, 1, 0, 0, 0)), data, method)
        if rng.random() < 0.1:
            archive.comment = rng.randbytes(rng.choice((1, 65535)))
    return buffer.getvalue()


def _change_records(data: bytearray, rng: Random) -> bytes:
    """Write wrong numbers into records of the archive."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        mark, fields = rng.choice(
            ((_CENTRAL, _CENTRAL_FIELDS), (_LOCAL, _LOCAL_FIELDS), (_END, _END_FIELDS))
        )
        places = []
        at = data.find(mark)
        while at >= 0 and len(places) < 64:
            places.append(at)
            at = data.find(mark, at + 4)
        if not places:
            continue
        offset, width = rng.choice(fields)
        start = rng.choice(places) + offset
        old = int.from_bytes(data[start : start + width], "little")
        value = rng.choice((*_VALUES, old + 1, old - 1)) & ((1 << 8 * width) - 1)
        data[start : start + width] = struct.pack("<H" if width == 2 else "<I", value)
    return bytes(data)
