"""Whether all that a TFLite file points to is inside of it.

LiteRT verifies a model before it reads it; tflite-runtime 2.14 does not, and a file
that was cut short ends the process. What is followed here are the tables of TensorFlow
Lite's ``schema.fbs``, in the FlatBuffers encoding (flatbuffers.dev, "Internals").
"""

from __future__ import annotations

import struct

# table: what its fields, by number, point to: a table's name, a list of one or of so
# many bytes each
_SCHEMA: dict[str, dict[int, str | list[str | int]]] = {
    "Model": {
        1: ["OperatorCode"],
        2: ["SubGraph"],
        3: [1],
        4: ["Buffer"],
        5: [4],
        6: ["Metadata"],
    },
    "OperatorCode": {1: [1]},
    "SubGraph": {0: ["Tensor"], 1: [4], 2: [4], 3: ["Operator"], 4: [1]},
    "Tensor": {0: [4], 3: [1], 4: "Quantization", 7: [4]},
    "Quantization": {0: [4], 1: [4], 2: [4], 3: [8]},
    "Operator": {1: [4], 2: [4], 4: "Options", 5: [1], 7: [1], 8: [4]},
    "Options": {},
    "Buffer": {0: [1]},
    "Metadata": {0: [1]},
}


def is_whole(content: bytes) -> bool:
    """Return whether all that a model names is there.

    Parameters
    ----------
    content : bytes
        A TFLite flatbuffer; what follows it, as an archive, does not matter.
    """
    try:
        _Walk(content).table(_at("<I", content, 0), "Model")
    except struct.error:
        return False
    return True


class _Walk:
    def __init__(self, content: bytes) -> None:
        self._content = content
        # no two tables are in one place: a file that names more goes in circles
        self._left = len(content) // 4

    def table(self, place: int, name: str) -> None:
        """Follow a table's fields."""
        self._left -= 1
        if self._left < 0:
            raise struct.error("more tables than there is room for")
        vtable = place - _at("<i", self._content, place)
        size, own = (_at("<H", self._content, vtable + skip) for skip in (0, 2))
        self._range(vtable, size)
        self._range(place, own)
        for number, kind in _SCHEMA[name].items():
            slot = 4 + 2 * number
            offset = _at("<H", self._content, vtable + slot) if slot < size else 0
            if offset:
                self._target(place + offset, kind)

    def _target(self, place: int, kind: str | list[str | int]) -> None:
        target = place + _at("<I", self._content, place)
        if isinstance(kind, str):
            self.table(target, kind)
            return
        count, item = _at("<I", self._content, target), kind[0]
        if isinstance(item, int):
            self._range(target, 4 + count * item)
            return
        self._range(target, 4 + count * 4)
        for index in range(count):
            entry = target + 4 + 4 * index
            self.table(entry + _at("<I", self._content, entry), item)

    def _range(self, start: int, length: int) -> None:
        if start < 0 or start + length > len(self._content):
            raise struct.error(f"{start} + {length}")


def _at(form: str, content: bytes, place: int) -> int:
    if place < 0:
        raise struct.error(f"{place}")
    number: int = struct.unpack_from(form, content, place)[0]
    return number
