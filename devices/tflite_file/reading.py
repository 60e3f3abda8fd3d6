"""The tables of a TFLite file as plain values.

What is read here is checked for being inside the file, not for making sense: see
`edgeseg.devices.tflite_file.examination`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from edgeseg.devices.tflite_file.flatbuffer import DamagedError, Extent, Reader, Table
from edgeseg.devices.tflite_file.names import OPERATORS, OPTIONS, TYPES

if TYPE_CHECKING:
    from edgeseg.devices.types import Array


class Quantization(NamedTuple):
    """How stored integers stand for real values: one step, or one a channel."""

    scales: Extent
    zero_points: Extent
    dimension: int
    other_kind: bool


class Sparsity(NamedTuple):
    """How the values of a constant are left out where they are 0."""

    traversal_order: tuple[int, ...]
    block_map: tuple[int, ...]
    # of each dimension: format, dense size, segments and indices
    dimensions: tuple[tuple[int, int, Array | None, Array | None], ...]


class TensorEntry(NamedTuple):
    """A tensor as the file describes it.

    ``signature`` has -1 where a side is open, and is None where nothing is said;
    ``buffer`` is the index of its values, empty for what an operator computes.
    """

    name: bytes
    shape: tuple[int, ...]
    signature: tuple[int, ...] | None
    dtype: str
    bits: int
    buffer: int
    quantization: Quantization | None
    is_variable: bool
    sparsity: Sparsity | None


class OperatorEntry(NamedTuple):
    """An operator as the file describes it; -1 is an input that is left out."""

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    intermediates: tuple[int, ...]
    options_type: int
    options: Mapping[str, int]


class SubgraphEntry(NamedTuple):
    """Tensors, and operators in the order of execution."""

    tensors: list[TensorEntry]
    operators: list[OperatorEntry]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class SignatureEntry(NamedTuple):
    """A named way to call a subgraph: its tensors by name."""

    subgraph: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class ModelFile(NamedTuple):
    """All of a file but its constants, which stay where they are.

    ``buffers`` has first byte and length of each, length 0 without content.
    """

    content: bytes
    version: int
    subgraphs: list[SubgraphEntry]
    buffers: list[tuple[int, int]]
    metadata: list[tuple[bytes, int]]
    signatures: list[SignatureEntry]

    def values(self, tensor: TensorEntry) -> memoryview:
        """Return the stored bytes of a constant, empty for any other tensor."""
        start, count = self.buffers[tensor.buffer]
        return memoryview(self.content)[start : start + count]


def read_file(content: bytes) -> ModelFile:
    """Return the tables of a TFLite file.

    Raises
    ------
    DamagedError
        Something that the file names is not there, or has no meaning.
    """
    root = Reader(content).root()
    codes = [_operator_kind(code) for code in root.tables(1)]
    root.text(3)
    return ModelFile(
        content,
        root.number(0, "I"),
        [_subgraph(table, codes) for table in root.tables(2)],
        [_buffer(index, t, len(content)) for index, t in enumerate(root.tables(4))],
        [(entry.text(0), entry.number(1, "I")) for entry in root.tables(6)],
        [_signature(table) for table in root.tables(7)],
    )


def _operator_kind(code: Table) -> str:
    # newer writers put what does not fit into the first field into the second
    number = max(code.number(3, "i"), code.number(0, "b"))
    if not 0 <= number < len(OPERATORS):
        raise DamagedError(
            f"it uses operator {number}, the schema has {len(OPERATORS)} (made by a "
            "newer TensorFlow?)"
        )
    kind = OPERATORS[number]
    if kind != "CUSTOM":
        return kind
    name = code.text(1).decode("utf-8", "backslashreplace")
    if not name:
        raise DamagedError("a custom operator has no name")
    return name


def _subgraph(table: Table, codes: list[str]) -> SubgraphEntry:
    table.text(4)
    return SubgraphEntry(
        [_tensor(index, entry) for index, entry in enumerate(table.tables(0))],
        [_operator(i, entry, codes) for i, entry in enumerate(table.tables(3))],
        table.numbers(1),
        table.numbers(2),
    )


def _operator(index: int, table: Table, codes: list[str]) -> OperatorEntry:
    code = table.number(0, "I")
    if code >= len(codes):
        raise DamagedError(
            f"operator {index} is of kind {code}, the file lists {len(codes)}"
        )
    kind, options_type = codes[code], table.number(3, "B")
    table.span(5), table.span(7)
    options = table.table(4)
    return OperatorEntry(
        kind,
        table.numbers(1),
        table.numbers(2),
        table.numbers(8),
        options_type if options is not None else 0,
        _options(kind, options),
    )


def _options(kind: str, table: Table | None) -> dict[str, int]:
    if kind not in OPTIONS:
        return {}
    fields = OPTIONS[kind][1]
    if table is None:
        return {name: default for name, (_, _, default) in fields.items()}
    return {name: table.number(*field) for name, field in fields.items()}


def _tensor(index: int, table: Table) -> TensorEntry:
    number = table.number(1, "b")
    if not 0 <= number < len(TYPES):
        raise DamagedError(
            f"tensor {index} ({readable(table.text(3))}) has type {number}, the schema "
            f"has {len(TYPES)} (made by a newer TensorFlow?)"
        )
    signature = table.numbers(7) if table.place(7) else None
    sparsity = table.table(6)
    dtype, bits = TYPES[number]
    return TensorEntry(
        table.text(3),
        table.numbers(0),
        signature,
        dtype,
        bits,
        table.number(2, "I"),
        _quantization(table.table(4)),
        bool(table.number(5, "b")),
        None if sparsity is None else _sparsity(sparsity),
    )


def _quantization(table: Table | None) -> Quantization | None:
    if table is None:
        return None
    return Quantization(
        table.extent(2, "f"),
        table.extent(3, "q"),
        table.number(6, "i"),
        bool(table.number(4, "B") and table.place(5)),
    )


def _sparsity(table: Table) -> Sparsity:
    dimensions = tuple(
        (
            entry.number(0, "b"),
            entry.number(1, "i"),
            _index_vector(entry, 2),
            _index_vector(entry, 4),
        )
        for entry in table.tables(2)
    )
    return Sparsity(table.numbers(0), table.numbers(1), dimensions)


def _index_vector(table: Table, field: int) -> Array | None:
    """Return a vector of the union SparseIndexVector: 32, 16 or 8 bits an index."""
    import numpy as np

    form = {1: "i", 2: "H", 3: "B"}.get(table.number(field, "B"))
    vector = table.table(field + 1)
    if form is None or vector is None:
        return None
    return np.array(vector.numbers(0, form), np.int64)


def _buffer(index: int, table: Table, size: int) -> tuple[int, int]:
    span = table.span(0)
    start, count = table.number(1, "Q"), table.number(2, "Q")
    if start > 1:  # a file over 2 GiB has its constants behind the flatbuffer
        if start + count > size:
            raise DamagedError(
                f"buffer {index} is at byte {start} with {count} bytes, the file has "
                f"{size}"
            )
        return start, count
    return (0, 0) if span is None else span


def _signature(table: Table) -> SignatureEntry:
    table.text(2)
    inputs, outputs = (
        tuple(entry.number(1, "I") for entry in table.tables(f)) for f in (0, 1)
    )
    return SignatureEntry(table.number(4, "I"), inputs, outputs)


def readable(name: bytes) -> str:
    """Return a tensor's name as text, whatever its bytes are."""
    return name.decode("utf-8", "backslashreplace")
