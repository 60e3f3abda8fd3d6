"""Check a model against a device: which processor runs each operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices.address import chip_string, parse_address, profile_of
from edgeseg.devices.errors import ModelError
from edgeseg.devices.open import DEVICES
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
    from collections.abc import Callable
    from pathlib import Path

    from edgeseg.devices.placement.graph import ModelGraph
    from edgeseg.devices.placement.result import Advice
    from edgeseg.devices.placement.xnnpack import Membership

_ETHOS_U = "ethos-u"  # the operator that Arm's compiler puts in
_COMPILED_NOTE = (
    "compiled already: what is inside the chip's own operator cannot be counted, "
    "shares are of what is outside"
)


@dataclass(frozen=True)
class _Prediction:
    """What one kind of processor takes, how that is known, and what to change."""

    origin: str
    verdicts: tuple[OperatorVerdict, ...]
    advice: tuple[Advice, ...] = ()
    notes: tuple[str, ...] = ()


def check_model(model: Path, device: str) -> Placement:
    """Return where each operator of a model runs on a device, and what to change.

    Parameters
    ----------
    model : Path
        A ``.tflite`` file.
    device : str
        A device string; the device's `Profile` says which processor that means.
        ``auto`` is the processor of a desktop.

    Raises
    ------
    UnknownPluginError
        There is no such device.
    ModelError
        The file is no TFLite model of one subgraph and fixed size, was compiled for
        another device, or the device runs ``.onnx`` files, or a file of its own.
    MissingDriverError
        The installed interpreter cannot list a model's operators.
    """
    address = parse_address("desktop" if device == "auto" else device, DEVICES)
    profile = profile_of(DEVICES, address.name)
    kind = profile.placement_of(address.unit)
    # the unit matters where it means another processor than the device's name alone
    unit = address.unit if kind != profile.placement else ""
    name = chip_string(address.name, unit)
    if kind == "onnx":
        raise ModelError(
            f"{name} runs .onnx files in ONNX Runtime, whose provider takes all of a "
            f"model or refuses it: expected a device for .tflite files, such as "
            f"{address.name}"
        )
    if kind == "unknown":
        raise ModelError(
            f"what {name} takes of a model is not known here: its maker's compiler "
            "takes all of it or says why not"
        )
    graph = read_model_graph(model)
    if edgetpu.is_compiled(graph) and kind not in ("edgetpu", "none"):
        raise ModelError(
            f"{model} was compiled for an Edge TPU and runs nowhere else: check "
            "the file it was compiled from, or take --device coral"
        )
    if _is_for_ethosu(graph) and kind not in ("ethosu65", "ethosu85", "none"):
        raise ModelError(
            f"{model} was compiled for an Ethos-U and runs nowhere else: check the "
            "file it was compiled from, or take --device ethos-u65"
        )
    found = _PREDICTORS[kind](model, graph)
    partitions, hand_overs = count_pieces(graph, found.verdicts)
    return Placement(
        file=model.name,
        device=name,
        origin=found.origin,
        operators=place(graph, found.verdicts),
        partitions=partitions,
        hand_overs=hand_overs,
        advice=found.advice,
        notes=found.notes,
    )


def _on_edgetpu(model: Path, graph: ModelGraph) -> _Prediction:
    if edgetpu.is_compiled(graph):
        verdicts = edgetpu.read_compiled(graph)
        return _Prediction(edgetpu.COMPILED, verdicts, notes=(_COMPILED_NOTE,))
    verdicts = edgetpu.predict(graph)
    return _Prediction(
        edgetpu.ORIGIN,
        verdicts,
        coral_advice(graph, place(graph, verdicts)),
        edgetpu.notes(graph, verdicts),
    )


def _is_for_ethosu(graph: ModelGraph) -> bool:
    return any(op.kind == _ETHOS_U for op in graph.operators)


def _on_ethosu(graph: ModelGraph, chip: str) -> _Prediction:
    # here, because a check for another chip starts faster without these
    from edgeseg.devices.placement import ethosu
    from edgeseg.devices.placement.ethosu_advice import ethosu_advice

    if _is_for_ethosu(graph):
        verdicts = ethosu.read_compiled(graph)
        return _Prediction(ethosu.COMPILED, verdicts, notes=(_COMPILED_NOTE,))
    verdicts = ethosu.predict(graph, chip)
    return _Prediction(
        ethosu.ORIGIN, verdicts, ethosu_advice(graph, place(graph, verdicts))
    )


def _on_gpu(model: Path, graph: ModelGraph) -> _Prediction:
    verdicts = gpu.predict(graph)
    return _Prediction(gpu.ORIGIN, verdicts, gpu_advice(graph, place(graph, verdicts)))


def _on_xnnpack(model: Path, graph: ModelGraph) -> _Prediction:
    membership = xnnpack_members(model)
    verdicts = tuple(_member(op.index, membership) for op in graph.operators)
    return _Prediction(
        f"as the interpreter of this machine shows ({membership.runtime})",
        verdicts,
        xnnpack_advice(graph, place(graph, verdicts), membership.refused),
    )


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


def _on_cpu(model: Path, graph: ModelGraph) -> _Prediction:
    verdict = OperatorVerdict("cpu", "this unit applies no delegate")
    return _Prediction("by what the unit is", (verdict,) * len(graph.operators))


def _on_nothing(model: Path, graph: ModelGraph) -> _Prediction:
    verdict = OperatorVerdict("none", "the device answers with a pattern instead")
    return _Prediction("by what the device is", (verdict,) * len(graph.operators))


_PREDICTORS: dict[str, Callable[[Path, ModelGraph], _Prediction]] = {
    "edgetpu": _on_edgetpu,
    "ethosu65": lambda model, graph: _on_ethosu(graph, "ethosu65"),
    "ethosu85": lambda model, graph: _on_ethosu(graph, "ethosu85"),
    "gpu": _on_gpu,
    "xnnpack": _on_xnnpack,
    "cpu": _on_cpu,
    "none": _on_nothing,
}
