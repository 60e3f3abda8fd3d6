"""Arm's Ethos-U beside a Cortex-A, through the delegate of the board's system.

Linux shows the chip as ``/dev/ethosuN``. The interpreter reaches it through an external
delegate that the board's maker ships: NXP's images for the i.MX 93 have
``libethosu_delegate.so``, others ``libethosu_op.so``; it runs the operator ``ethos-u``
that Arm's compiler puts in place of what it takes.

An Ethos-U55 stands beside a microcontroller, on which nothing of this runs: for it
there are only `edgeseg check` and `edgeseg compile`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.cores import physical_cores
from edgeseg.devices.delegate import DelegateLibrary
from edgeseg.devices.errors import MissingDriverError, ModelError
from edgeseg.devices.linux_files import ROOT
from edgeseg.devices.litert import find_runtime
from edgeseg.devices.open import has_operator
from edgeseg.devices.profile import DeviceUnit, Found, Profile
from edgeseg.devices.tflite import TFLiteDevice

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json

OPERATOR = b"ethos-u"
LIBRARY = DelegateLibrary(
    "libethosu",
    ("libethosu_delegate.so", "libethosu_op.so"),
    "EDGESEG_LIBETHOSU",
    "the Ethos-U",
)
_NO_LIBRARY = (
    f"{' or '.join(LIBRARY.files)} is not installed: the image of the board's maker "
    f"has it; another file is taken with {LIBRARY.variable}=/path/FILE.so"
)
# multiply-adds a cycle of each size of the chip, as Arm's compiler names them
_SIZES = {"55": (32, 64, 128, 256), "65": (256, 512), "85": (128, 256, 512, 1024, 2048)}


class EthosU(TFLiteDevice):
    """Inference on an Ethos-U; what it does not take stays on the processor.

    Parameters
    ----------
    model : Path
        A ``.tflite`` file that Arm's compiler Vela has compiled for this chip.
    unit : str
        ``""``: the first one; or what it is, such as ``"65-256"``.
    threads : int or None
        Threads of the operators on the processor; None takes the physical cores.
    root : Path
        Where ``dev`` and ``usr`` are.

    Raises
    ------
    ModelError
        The file is not compiled for an Ethos-U: nothing of it would run there.
    MissingDriverError
        No Ethos-U, no delegate, or one that cannot be loaded.
    """

    def __init__(
        self,
        model: Path,
        unit: str = "",
        threads: int | None = None,
        *,
        root: Path = ROOT,
    ) -> None:
        if model.exists() and not has_operator(model, OPERATOR):
            raise ModelError(
                f"{model} is not compiled for an Ethos-U, nothing of it would run "
                f"there: edgeseg compile {model} --device ethos-u{unit or '65-256'}"
            )
        if unit.startswith("55"):
            raise MissingDriverError(
                "an Ethos-U55 stands beside a microcontroller, which does not run "
                "edgeseg: build the compiled file into its firmware"
            )
        nodes = _nodes(root)
        if not nodes:
            raise MissingDriverError(
                "no Ethos-U found (no /dev/ethosu0): load the driver of the board's "
                "image, or run the model on another device"
            )
        library = LIBRARY.find(root)
        if library is None:
            raise MissingDriverError(_NO_LIBRARY)
        runtime = find_runtime()
        delegate = LIBRARY.load(library, runtime, {})
        super().__init__(
            model,
            name="ethos_u",
            threads=threads or physical_cores(),
            runtime=runtime,
            delegates=(delegate,),
        )
        self._delegate = {"delegate": str(library), "node": str(nodes[0])}

    def describe(self) -> Json:
        """Return device, runtime, version, threads, delegate and device file."""
        return {**super().describe(), **self._delegate}


def _nodes(root: Path) -> list[Path]:
    return sorted((root / "dev").glob("ethosu[0-9]*"))


def _find(root: Path) -> tuple[Found, ...]:
    if not _nodes(root):
        return (Found("ethos_u", "absent", "no Arm Ethos-U (no /dev/ethosu0)"),)
    if LIBRARY.find(root) is None:
        return (Found("ethos_u", "incomplete", _NO_LIBRARY),)
    return (Found("ethos_u", "ready", "Arm Ethos-U"),)


def _units() -> tuple[DeviceUnit, ...]:
    nodes = ("/dev/ethosu0",)
    units = [DeviceUnit("", "the board's Ethos-U", nodes=nodes)]
    for series, sizes in _SIZES.items():
        placement = "ethosu85" if series == "85" else "ethosu65"
        linux = () if series == "55" else nodes
        units += [
            DeviceUnit(
                unit, f"an Ethos-U{unit}", placement=placement, nodes=linux, target=True
            )
            for unit in (f"{series}-{size}" for size in sizes)
        ]
        units.append(
            DeviceUnit(series, "any size of it", placement=placement, nodes=linux)
        )
    return tuple(units)


PROFILE = Profile(
    summary="Arm's Ethos-U",
    units=_units(),
    find=_find,
    placement="ethosu65",
    compiler="ethos_u",
    recipes=("int8",),
    heads=("logits-stride",),
    sizes=("257x257", "321x321"),
    advice=(
        "only full int8 models, compiled for the chip's own size: "
        "edgeseg compile MODEL --device ethos-u65-256",
        "logits at the network's own stride: a U65 resizes by 2, 4 or 8, a U85 by any "
        "power of two",
    ),
    verified="not run on hardware; tested against a stand-in for the delegate",
)
PLUGIN = EthosU
