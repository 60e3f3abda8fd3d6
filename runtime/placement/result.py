"""What a check finds, as values."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Placed:
    """One operator and the processor that runs it.

    Parameters
    ----------
    index : int
        Place in the order of execution, from 0.
    op : str
        Name in the TensorFlow Lite schema.
    placement : {"edgetpu", "xnnpack", "gpu", "cpu"}
        The processor; ``cpu`` is TensorFlow Lite's own kernel.
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
        ``coral``, ``raspberry_pi``, ``jetson`` or ``desktop``.
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

    def to_dict(self) -> dict[str, Any]:
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
