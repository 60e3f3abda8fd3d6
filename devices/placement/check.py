"""Check a model against a board: which processor runs each operator."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from edgeseg.devices import ModelError, UnknownPluginError
from edgeseg.devices.placement import edgetpu, gpu
from edgeseg.devices.placement.advice import coral_advice, gpu_advice, xnnpack_advice
from edgeseg.devices.placement.reading import read_model_graph
from edgeseg.devices.placement.result import (
    OperatorVerdict,
    Placement,
    count_pieces,
    place,
)
from edgeseg.devices.placement.xnnpack import xnnpack_members

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.placement.graph import ModelGraph
    from edgeseg.devices.placement.result import Advice, Placed
    from edgeseg.devices.placement.xnnpack import Membership

BOARDS = ("coral", "desktop", "jetson", "raspberry_pi")


def check_model(model: Path, device: str) -> Placement:
    """Return where each operator of a model runs on a board, and what to change.

    Parameters
    ----------
    model : Path
        A ``.tflite`` file.
    device : str
        A device string; ``coral`` tells of the Edge TPU, ``jetson`` of the GPU,
        ``raspberry_pi`` and ``desktop`` of XNNPACK.

    Raises
    ------
    UnknownPluginError
        There is no such board.
    ModelError
        The file is no TFLite model of one subgraph and fixed size, or was compiled for
        another board.
    MissingDriverError
        The installed interpreter cannot tell a model's operators.
    """
    board = _board(device)
    graph = read_model_graph(model)
    if edgetpu.is_compiled(graph):
        if board != "coral":
            raise ModelError(
                f"{model} was compiled for an Edge TPU and runs nowhere else: check "
                "the file it was compiled from, or take --device coral"
            )
        return _result(
            model, board, edgetpu.COMPILED, graph, edgetpu.read_compiled(graph)
        )
    if board == "coral":
        return _coral(model, graph)
    if board == "jetson":
        verdicts = gpu.predict(graph)
        advice = gpu_advice(graph, place(graph, verdicts))
        return _result(model, board, gpu.ORIGIN, graph, verdicts, advice)
    return _xnnpack(model, board, graph)


def _board(device: str) -> str:
    name = device.partition(":")[0]
    name = "desktop" if name == "auto" else name
    if name in BOARDS:
        return name
    near = difflib.get_close_matches(name, BOARDS, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise UnknownPluginError(
        f"unknown device {name!r}; known: {', '.join(BOARDS)}{hint}"
    )


def _coral(model: Path, graph: ModelGraph) -> Placement:
    verdicts = edgetpu.predict(graph)
    return _result(
        model,
        "coral",
        edgetpu.ORIGIN,
        graph,
        verdicts,
        coral_advice(graph, place(graph, verdicts)),
        edgetpu.notes(graph, verdicts),
    )


def _xnnpack(model: Path, board: str, graph: ModelGraph) -> Placement:
    membership = xnnpack_members(model)
    verdicts = tuple(_member(op.index, membership) for op in graph.operators)
    origin = f"as the interpreter of this machine shows ({membership.runtime})"
    advice = xnnpack_advice(graph, place(graph, verdicts), membership.refused)
    return _result(model, board, origin, graph, verdicts, advice)


def _member(index: int, membership: Membership) -> OperatorVerdict:
    if membership.refused:
        reason = f"XNNPACK cannot be prepared: {membership.refused}"
        return OperatorVerdict("cpu", reason, blocking=index == 0)
    if index in membership.taken:
        return OperatorVerdict("xnnpack", "in the delegate")
    if not membership.members:
        reason = "this interpreter applies no delegate to the model"
        return OperatorVerdict("cpu", reason, blocking=index == 0)
    return OperatorVerdict("cpu", "left out of the delegate", blocking=True)


def _result(
    model: Path,
    board: str,
    origin: str,
    graph: ModelGraph,
    verdicts: tuple[OperatorVerdict, ...],
    advice: tuple[Advice, ...] = (),
    notes: tuple[str, ...] = (),
) -> Placement:
    partitions, hand_overs = count_pieces(graph, verdicts)
    placed: tuple[Placed, ...] = place(graph, verdicts)
    if origin == edgetpu.COMPILED:
        notes = (
            "compiled already: what is inside the Edge TPU operator cannot be counted, "
            "shares are of what is outside",
            *notes,
        )
    return Placement(
        file=model.name,
        device=board,
        origin=origin,
        operators=placed,
        partitions=partitions,
        hand_overs=hand_overs,
        advice=advice,
        notes=notes,
    )
