"""What XNNPACK took, as the interpreter of this machine shows it.

After allocation the interpreter lists its delegate's nodes behind the model's own
operators, with the tensors that go in and come out. Every operator between the two is
a member: walking back from what comes out, until what goes in, finds them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import MissingDriverError, ModelError
from edgeseg.devices.first_inference import try_first_inference
from edgeseg.devices.litert import find_runtime, open_interpreter
from edgeseg.devices.plain_text import one_line
from edgeseg.devices.quiet import quiet

if TYPE_CHECKING:
    from edgeseg.devices.types import Json

_DELEGATE = "DELEGATE"


@dataclass(frozen=True)
class Membership:
    """What the delegate runs.

    Parameters
    ----------
    members : tuple of frozenset of int
        Operator indices, one set a delegate node.
    runtime : str
        Interpreter and version that said so.
    refused : str
        Why the delegate could not be prepared; empty where it could.
    """

    members: tuple[frozenset[int], ...]
    runtime: str
    refused: str = ""

    @property
    def taken(self) -> frozenset[int]:
        """All operators that the delegate runs."""
        return frozenset().union(*self.members)


def xnnpack_members(model: Path | bytes) -> Membership:
    """Return which operators of a model XNNPACK runs on this machine.

    Parameters
    ----------
    model : Path or bytes
        A ``.tflite`` file, or its content.

    Raises
    ------
    ModelError
        The file is no TFLite model.
    MissingDriverError
        The interpreter does not list its operators.
    """
    runtime = find_runtime()
    name = f"{runtime.name} {runtime.version}"
    interpreter = open_interpreter(model)
    if not hasattr(interpreter, "_get_ops_details"):
        raise MissingDriverError(
            f"{name} does not tell its operators: pip install ai-edge-litert"
        )
    if isinstance(model, Path):
        try_first_inference(model, f"{name} placement", interpreter.allocate_tensors)
    try:
        with quiet():
            interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        return Membership((), name, one_line(error))
    try:
        details = interpreter._get_ops_details()
    except UnicodeDecodeError as error:
        where = model if isinstance(model, Path) else "the model"
        raise ModelError(
            f"{where}: a name in it is not UTF-8, and {name} lists no operators then"
        ) from error
    nodes = [d for d in details if d["op_name"] == _DELEGATE]
    operators = [d for d in details if d["op_name"] != _DELEGATE]
    return Membership(tuple(_members(node, operators) for node in nodes), name)


def _members(node: Json, operators: list[Json]) -> frozenset[int]:
    producers = {int(t): op for op in operators for t in op["outputs"]}
    inside = {int(t) for t in node["inputs"]}
    front = [int(t) for t in node["outputs"]]
    seen: set[int] = set(front)
    found: set[int] = set()
    while front:
        producer = producers.get(front.pop())
        if producer is None:
            continue  # a constant of the model
        found.add(int(producer["index"]))
        for tensor in map(int, producer["inputs"]):
            if tensor >= 0 and tensor not in inside and tensor not in seen:
                seen.add(tensor)
                front.append(tensor)
    return frozenset(found)
