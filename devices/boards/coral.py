"""Coral's Edge TPU, on USB or PCI Express, through libedgetpu."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from edgeseg.devices.accelerators import EdgeTpu, find_edge_tpus
from edgeseg.devices.chip import check_compiled
from edgeseg.devices.cores import physical_cores
from edgeseg.devices.delegated import DelegatedDevice
from edgeseg.devices.edgetpu import LIBEDGETPU, matching_runtime
from edgeseg.devices.errors import EdgesegError, MissingDriverError
from edgeseg.devices.linux_files import ROOT
from edgeseg.devices.open import EDGE_TPU_OPERATOR
from edgeseg.devices.profile import DeviceUnit, Found, Profile
from edgeseg.devices.tflite import TFLiteDevice

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json

_log = logging.getLogger(__name__)
_SUFFIX = "_edgetpu"  # what edgetpu_compiler appends to a file's name
# /dev/bus/usb: it gets another number there once its firmware is loaded; /dev/apex_N
_USB, _PCI = "char-usb_device", "char-apex"
_NAMES = {"usb": "Coral USB Accelerator", "pci": "Coral on PCI Express", "": "Coral"}


class Coral(DelegatedDevice):
    """Inference on an Edge TPU; what it does not take stays on the processor.

    Parameters
    ----------
    model : Path
        A ``.tflite`` file that `edgetpu_compiler` has compiled.
    unit : str
        ``""``: the first Edge TPU; ``"usb"``, ``"usb:N"``, ``"pci"``, ``"pci:N"``.
    threads : int or None
        Threads of the operators on the processor; None takes the physical cores.
    root : Path
        Where ``sys`` and ``usr`` are.

    Raises
    ------
    ModelError
        The file is not compiled for the Edge TPU: nothing of it would run there.
    MissingDriverError
        No Edge TPU, no libedgetpu, or one that does not fit the interpreter.
    """

    def __init__(
        self,
        model: Path,
        unit: str = "",
        threads: int | None = None,
        *,
        root: Path = ROOT,
    ) -> None:
        check_compiled(model, EDGE_TPU_OPERATOR, "the Edge TPU", "coral")
        tpu = _choose(unit, root)
        super().__init__(
            model,
            name=f"coral:{tpu.bus}:{tpu.number}",
            threads=threads,
            library=LIBEDGETPU,
            runtime=lambda: matching_runtime(root),
            options={"device": f"{tpu.bus}:{tpu.number}"},
            described={"usb_mbit": tpu.speed_mbit},
            root=root,
        )


class _OnProcessor(TFLiteDevice):
    """What a Coral's model was compiled from, on the processor: taken by name only."""

    def __init__(self, model: Path, threads: int | None, reason: str) -> None:
        super().__init__(
            model, name="coral:or-cpu", threads=threads or physical_cores()
        )
        self._reason = reason

    def describe(self) -> Json:
        """Return the same as any device, and why no Edge TPU is used."""
        return {**super().describe(), "fallback": self._reason}


def open_coral(
    model: Path, unit: str = "", threads: int | None = None, *, root: Path = ROOT
) -> TFLiteDevice:
    """Open a model on an Edge TPU; with the unit ``"or-cpu"`` else on the processor.

    For ``or-cpu``, ``NAME_edgetpu.tflite`` and the ``NAME.tflite`` that it was
    compiled from must be side by side; a warning and `describe` say which one runs.
    """
    if unit != "or-cpu":
        return Coral(model, unit, threads, root=root)
    plain = model.with_name(model.name.replace(_SUFFIX, ""))
    try:
        return Coral(model, "", threads, root=root)
    except EdgesegError as error:
        if not plain.exists():
            raise
        _log.warning("no Edge TPU is used (%s): %s runs on the processor", error, plain)
        return _OnProcessor(plain, threads, str(error))


def _choose(unit: str, root: Path) -> EdgeTpu:
    bus, _, number = unit.partition(":")
    tpus = [tpu for tpu in find_edge_tpus(root) if not bus or tpu.bus == bus]
    if not tpus:
        raise MissingDriverError(
            f"no {_NAMES[bus]} found; plug one in (lsusb shows 1a6e:089a or 18d1:9302, "
            "lspci 1ac1:089a), or run the model on another device"
        )
    if int(number or 0) >= len(tpus):
        there = ", ".join(f"coral:{tpu.bus}:{tpu.number}" for tpu in tpus)
        raise MissingDriverError(f"no coral:{unit} found; here are {there}")
    return tpus[int(number or 0)]


def _find(root: Path) -> tuple[Found, ...]:
    tpus = find_edge_tpus(root)
    if not tpus:
        return (
            Found("coral:usb:0", "absent", "no Coral on USB (1a6e:089a, 18d1:9302)"),
            Found("coral:pci:0", "absent", "no Coral on PCI Express (1ac1:089a)"),
        )
    return tuple(_state(tpu, root) for tpu in tpus)


def _state(tpu: EdgeTpu, root: Path) -> Found:
    device = f"coral:{tpu.bus}:{tpu.number}"
    if LIBEDGETPU.find(root) is None:
        return Found(device, "incomplete", LIBEDGETPU.hint)
    if tpu.bus == "pci" and not tpu.is_started:
        hint = "no /dev/apex_N: the driver gasket-dkms is not loaded"
        return Found(device, "incomplete", hint)
    try:
        matching_runtime(root)
    except MissingDriverError as error:
        return Found(device, "incomplete", str(error))
    slow = ", on USB 2: slow, use a blue USB 3 socket" if tpu.is_slow else ""
    return Found(device, "ready", f"{_NAMES[tpu.bus]}{slow}")


PROFILE = Profile(
    summary="Coral's Edge TPU",
    units=(
        DeviceUnit("", "the first Edge TPU found", nodes=(_USB, _PCI)),
        DeviceUnit("usb", "a USB Accelerator", numbered=True, nodes=(_USB,)),
        DeviceUnit(
            "pci", "M.2, Mini PCIe or a Dev Board's own", numbered=True, nodes=(_PCI,)
        ),
        DeviceUnit(
            "or-cpu",
            "an Edge TPU, else the uncompiled file on the processor",
            nodes=(_USB, _PCI),
        ),
    ),
    find=_find,
    placement="edgetpu",
    compiler="edgetpu",
    recipes=("int8",),
    heads=("logits-stride",),
    sizes=("257x257", "321x321", "513x513"),
    advice=(
        "only full int8 models, compiled: edgeseg compile MODEL --device coral",
        "logits at the network's own stride: resizing and argmax stay off the Edge TPU",
        "output stride 16: dilated convolutions of stride 8 cost it dearly",
        "8 MB of weights fit on the chip; more are sent for every picture",
        "USB 3: on USB 2 the transfer takes longer than the inference",
    ),
    install=("sudo apt install libedgetpu1-std",),
    verified="not run on hardware; tested against a stand-in libedgetpu",
)
PLUGIN = open_coral
