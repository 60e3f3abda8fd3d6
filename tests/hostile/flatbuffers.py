"""Damaged TFLite files, made from a good one: seeded, and by the format's schema.

The tables of a file are walked once; every number, offset, vector length and vtable
entry that is met is a `_Site`. A mutation changes one to three of them, exchanges two
of the same kind, flips bytes anywhere, or cuts the file. Names say what was changed,
such as ``subgraphs[0].tensors[3].quantization.scale[0] = nan``.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass

# struct formats of the scalars; a name in capitals is a table; [x] is a vector of x.
# Field numbers are those of TensorFlow Lite's schema.fbs.
_SCHEMA = {
    "Model": {
        0: ("version", "I"),
        1: ("operator_codes", ["OperatorCode"]),
        2: ("subgraphs", ["SubGraph"]),
        3: ("description", ["B"]),
        4: ("buffers", ["Buffer"]),
        5: ("metadata_buffer", ["i"]),
        6: ("metadata", ["Metadata"]),
        7: ("signature_defs", ["SignatureDef"]),
    },
    "OperatorCode": {
        0: ("deprecated_builtin_code", "b"),
        1: ("custom_code", ["B"]),
        2: ("version", "i"),
        3: ("builtin_code", "i"),
    },
    "SubGraph": {
        0: ("tensors", ["Tensor"]),
        1: ("inputs", ["i"]),
        2: ("outputs", ["i"]),
        3: ("operators", ["Operator"]),
        4: ("name", ["B"]),
    },
    "Tensor": {
        0: ("shape", ["i"]),
        1: ("type", "b"),
        2: ("buffer", "I"),
        3: ("name", ["B"]),
        4: ("quantization", "Quantization"),
        5: ("is_variable", "b"),
        6: ("sparsity", "Sparsity"),
        7: ("shape_signature", ["i"]),
        8: ("has_rank", "b"),
    },
    "Quantization": {
        0: ("min", ["f"]),
        1: ("max", ["f"]),
        2: ("scale", ["f"]),
        3: ("zero_point", ["q"]),
        6: ("quantized_dimension", "i"),
    },
    "Sparsity": {0: ("traversal_order", ["i"]), 1: ("block_map", ["i"])},
    "Operator": {
        0: ("opcode_index", "I"),
        1: ("inputs", ["i"]),
        2: ("outputs", ["i"]),
        3: ("builtin_options_type", "B"),
        4: ("builtin_options", "Options"),
        5: ("custom_options", ["B"]),
        7: ("mutating_variable_inputs", ["b"]),
        8: ("intermediates", ["i"]),
    },
    "Buffer": {0: ("data", ["B"]), 1: ("offset", "Q"), 2: ("size", "Q")},
    "Metadata": {0: ("name", ["B"]), 1: ("buffer", "I")},
    "SignatureDef": {
        0: ("inputs", ["TensorMap"]),
        1: ("outputs", ["TensorMap"]),
        2: ("signature_key", ["B"]),
        4: ("subgraph_index", "I"),
    },
    "TensorMap": {0: ("name", ["B"]), 1: ("tensor_index", "I")},
}
_WHOLE = (-(2**31), -129, -128, -2, -1, 0, 1, 2, 3, 7, 127, 255, 256, 1000, 65536)
_LARGE = (100_000, 2**20, 2**24, 2**30, 2**31 - 1, 2**32 - 1, 2**40, 2**63 - 1)
_REAL = (
    *(0.0, -0.0, -1.0, 1.0, 1e-45, 1e-40, -1e-45, 1e-38, 1e-30, 1e30, 3e38),
    *(float("nan"), float("inf"), float("-inf"), 1e-7, 0.5, 2.0, 1e5),
)
_BYTES_OF_TEXT = (0, 0x0A, 0x1B, 0x7F, 0xC3, 0xFF)
# how often each kind of place is chosen; there are many more of some than of others
_WEIGHTS = {
    "scalar": 34,
    "element": 34,
    "option": 14,
    "length": 8,
    "offset": 5,
    "vtable": 5,
}


@dataclass(frozen=True)
class _Site:
    """A place of a file that can be changed.

    Parameters
    ----------
    name : str
        Fields on the way to it.
    kind : str
        One of `_WEIGHTS`.
    form : str
        `struct` format, without byte order.
    at : int
        First byte.
    """

    name: str
    kind: str
    form: str
    at: int

    @property
    def field(self) -> str:
        """The field's name, without the way to it."""
        return self.name.rpartition(".")[2].partition("[")[0]


# kind: field: its places
_Sites = dict[str, dict[str, list[_Site]]]


def mutations(data: bytes, seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Give damaged copies of a TFLite file.

    Parameters
    ----------
    data : bytes
        A good file.
    seed : int
        The same seed gives the same files.
    count : int
        How many.

    Yields
    ------
    (str, bytes)
        What was changed, and the damaged file.
    """
    # no cryptography: what is wanted is that a seed can be repeated
    rng = random.Random(seed)
    sites = _sites(data)
    for _ in range(count):
        kind = rng.choices(
            ("structure", "twice", "exchange", "flips", "cut"), (66, 14, 8, 8, 4)
        )[0]
        damaged = bytearray(data)
        if kind == "cut":
            end = rng.randrange(len(data))
            yield f"cut at {end}", data[:end]
            continue
        if kind == "flips":
            name = _flip(damaged, rng)
        elif kind == "exchange":
            name = _exchange(damaged, sites, rng)
        else:
            times = 1 if kind == "structure" else rng.randint(2, 3)
            name = "; ".join(_change(damaged, sites, rng) for _ in range(times))
        yield name, bytes(damaged)


def _change(damaged: bytearray, sites: _Sites, rng: random.Random) -> str:
    kinds = [kind for kind in _WEIGHTS if sites[kind]]
    kind = rng.choices(kinds, [_WEIGHTS[k] for k in kinds])[0]
    # first which field, then which one of that name: scales are as likely as versions
    site = rng.choice(sites[kind][rng.choice(sorted(sites[kind]))])
    old = struct.unpack_from(f"<{site.form}", damaged, site.at)[0]
    value = _value(site, old, len(damaged), rng)
    struct.pack_into(f"<{site.form}", damaged, site.at, value)
    return f"{site.name} = {value} (was {old})"


def _value(site: _Site, old: float, size: int, rng: random.Random) -> float:
    """Return another value for a place, one that its format can hold."""
    if site.form == "f":
        return rng.choice((*_REAL, -old, old * 1e-3))
    near = [old - 1, old + 1, old * 2, old // 2, -old]
    if site.kind == "offset":
        values = [*near, 0, 4, size - 4, size, 2**31, 2**32 - 1, rng.randrange(size)]
    elif site.kind == "vtable":
        values = [0, 4, 6, 8, *near, 65535, rng.randrange(65536)]
    elif site.name.endswith("]") and site.form == "B":
        values = [*_BYTES_OF_TEXT, rng.randrange(256)]
    else:
        values = [*near, *_WHOLE, *_LARGE, rng.randrange(64)]
    bits = 8 * struct.calcsize(site.form)
    low = 0 if site.form.isupper() else -(1 << (bits - 1))
    fitting = [v for v in values if low <= v < low + (1 << bits) and v != old]
    return rng.choice(fitting)


def _exchange(damaged: bytearray, sites: _Sites, rng: random.Random) -> str:
    """Exchange two numbers of the same field, such as the buffers of two tensors."""
    fields = sites["scalar"] | sites["element"]
    several = sorted(name for name, found in fields.items() if len(found) > 1)
    first, second = rng.sample(fields[rng.choice(several)], 2)
    size = struct.calcsize(first.form)
    a, b = (bytes(damaged[s.at : s.at + size]) for s in (first, second))
    damaged[first.at : first.at + size] = b
    damaged[second.at : second.at + size] = a
    return f"{first.name} <-> {second.name}"


def _flip(damaged: bytearray, rng: random.Random) -> str:
    """Change some bytes, mostly where the tables are and not the weights."""
    places = []
    for _ in range(rng.randint(1, 12)):
        near_end = rng.random() < 0.7
        start = max(0, len(damaged) - 60_000) if near_end else 0
        place = rng.randrange(start, len(damaged))
        damaged[place] = rng.randrange(256)
        places.append(place)
    return f"bytes {places}"


def _sites(data: bytes) -> _Sites:
    walk = _Walk(data)
    walk.add("identifier", "scalar", "I", 4)
    walk.reference("root", "Model", 0)
    return walk.sites


class _Walk:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.sites: _Sites = {kind: {} for kind in _WEIGHTS}

    def add(self, name: str, kind: str, form: str, at: int) -> None:
        site = _Site(name, kind, form, at)
        self.sites[kind].setdefault(site.field, []).append(site)

    def reference(self, name: str, kind: str | list[str], at: int) -> None:
        """Note an offset, and what it leads to."""
        self.add(name, "offset", "I", at)
        target = at + self._number("I", at)
        if isinstance(kind, str):
            self._table(name, kind, target)
        else:
            self._vector(name, kind[0], target)

    def _number(self, form: str, at: int) -> int:
        return struct.unpack_from(f"<{form}", self._data, at)[0]

    def _table(self, name: str, kind: str, at: int) -> None:
        vtable = at - self._number("i", at)
        self.add(f"{name}.to_vtable", "offset", "i", at)
        size = self._number("H", vtable)
        self.add(f"{name}.vtable_size", "vtable", "H", vtable)
        for number in range((size - 4) // 2):
            slot = vtable + 4 + 2 * number
            field, form = _SCHEMA.get(kind, {}).get(number, (f"field{number}", ""))
            self.add(f"{name}.{field}_slot", "vtable", "H", slot)
            skip = self._number("H", slot)
            if not skip:
                continue
            path = field if name == "root" else f"{name}.{field}"
            if kind == "Options":
                self.add(path, "option", "i", at + skip)
                self.add(path, "option", "b", at + skip)
            elif isinstance(form, list) or form in (*_SCHEMA, "Options"):
                self.reference(path, form, at + skip)
            elif form:
                self.add(path, "scalar", form, at + skip)

    def _vector(self, name: str, kind: str, at: int) -> None:
        count = self._number("I", at)
        self.add(f"{name}.length", "length", "I", at)
        for index in range(count):
            entry = f"{name}[{index}]"
            if kind in _SCHEMA:
                self.reference(entry, kind, at + 4 + 4 * index)
                continue
            place = at + 4 + index * struct.calcsize(kind)
            if name.endswith(".data") and index >= 8:
                return  # weights and shapes of reshapes: the first will do
            self.add(entry, "element", "i" if name.endswith(".data") else kind, place)
