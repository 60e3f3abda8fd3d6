"""What a check finds: the verdict on each operator, and the whole result."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeseg.devices.placement.graph import macs, moved_bytes
from edgeseg.devices.placement.partition import pieces

if TYPE_CHECKING:
    from edgeseg.devices.placement.graph import ModelGraph, Operator
    from edgeseg.devices.types import Json


@dataclass(frozen=True)
class Placed:
    """One operator and the processor that runs it.

    Parameters
    ----------
    index : int
        Place in the order of execution, from 0.
    op : str
        Name in the TensorFlow Lite schema.
    placement : {"edgetpu", "ethosu", "xnnpack", "gpu", "cpu", "none"}
        The processor; ``cpu`` is TensorFlow Lite's own kernel, ``none`` is a device
        that runs no operator.
    reason : str
        Why there.
    macs : int
        Multiply-adds with weights.
    bytes : int
        Bytes read and written, weights included.
    shapes : str
        Of its data, ``in -> out``.
    blocking : bool
        Whether the operator itself cannot be taken; False for one that could be, but
        comes after another that cannot.
    """

    index: int
    op: str
    placement: str
    reason: str
    macs: int
    bytes: int
    shapes: str
    blocking: bool = False

    @property
    def title(self) -> str:
        """Number, name and shapes."""
        return f"operator {self.index} {self.op} {self.shapes}"


@dataclass(frozen=True)
class Advice:
    """Something to change.

    Parameters
    ----------
    operators : tuple of int
        Indices that it is about.
    text : str
        What and why, one sentence or two.
    options : str
        What to add to ``edgeseg convert``; empty where nothing there helps.
    """

    operators: tuple[int, ...]
    text: str
    options: str = ""


@dataclass(frozen=True)
class Placement:
    """Every operator of a model on one board.

    Parameters
    ----------
    file : str
        Name of the model.
    device : str
        Name of the device; with its unit where another processor is meant by that.
    origin : str
        Where it is known from: a prediction, this machine's interpreter, the file.
    operators : tuple of Placed
        In the order of execution.
    partitions, hand_overs : int
        Pieces that the accelerator runs; changes of processor on the way.
    advice : tuple of Advice
        What to change, most useful first.
    notes : tuple of str
        What else to know.
    """

    file: str
    device: str
    origin: str
    operators: tuple[Placed, ...]
    partitions: int
    hand_overs: int
    advice: tuple[Advice, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def on_cpu(self) -> tuple[Placed, ...]:
        """The operators that no accelerator takes."""
        return tuple(op for op in self.operators if op.placement == "cpu")

    @property
    def cpu_macs_share(self) -> float:
        """Share of the multiply-adds that stays on the CPU, 0..1."""
        return _share(
            sum(o.macs for o in self.on_cpu), [o.macs for o in self.operators]
        )

    @property
    def cpu_bytes_share(self) -> float:
        """Share of the bytes moved that stays on the CPU, 0..1."""
        each = [o.bytes for o in self.operators]
        return _share(sum(o.bytes for o in self.on_cpu), each)

    def to_dict(self) -> Json:
        """Return JSON values."""
        return {
            "file": self.file,
            "device": self.device,
            "origin": self.origin,
            "operators": [dataclasses.asdict(op) for op in self.operators],
            "totals": {
                "operators": len(self.operators),
                "on_cpu": len(self.on_cpu),
                "macs": sum(op.macs for op in self.operators),
                "bytes": sum(op.bytes for op in self.operators),
                "cpu_macs_share": self.cpu_macs_share,
                "cpu_bytes_share": self.cpu_bytes_share,
                "partitions": self.partitions,
                "hand_overs": self.hand_overs,
            },
            "advice": [dataclasses.asdict(advice) for advice in self.advice],
            "notes": list(self.notes),
        }


def _share(part: int, each: list[int]) -> float:
    return part / sum(each) if sum(each) else 0.0


@dataclass(frozen=True)
class OperatorVerdict:
    """Where one operator goes; see `Placed` for the fields."""

    placement: str
    reason: str
    blocking: bool = False


def place(
    graph: ModelGraph, verdicts: tuple[OperatorVerdict, ...]
) -> tuple[Placed, ...]:
    """Return every operator with its work and where it goes."""
    return tuple(
        Placed(
            index=op.index,
            op=op.kind,
            placement=verdict.placement,
            reason=verdict.reason,
            macs=macs(graph, op),
            bytes=moved_bytes(graph, op),
            shapes=_shapes(graph, op),
            blocking=verdict.blocking,
        )
        for op, verdict in zip(graph.operators, verdicts, strict=True)
    )


def count_pieces(
    graph: ModelGraph, verdicts: tuple[OperatorVerdict, ...]
) -> tuple[int, int]:
    """Return how many pieces the accelerator runs and how often data changes hands."""
    left = ("cpu", "none")
    taken = [i for i, verdict in enumerate(verdicts) if verdict.placement not in left]
    found = pieces(graph, taken)
    return sum(piece.taken for piece in found), max(len(found) - 1, 0)


def _shapes(graph: ModelGraph, op: Operator) -> str:
    read = [t for t in graph.read(op) if not t.constant]
    before = _text(read[0].shape) if read else "constant"
    made = graph.written(op)
    return f"{before} -> {_text(made[0].shape)}" if made else before


def _text(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape[1:] if len(shape) > 1 else shape)) or "scalar"
