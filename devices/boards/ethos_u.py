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

from edgeseg.devices.chip import Chip, check_compiled, first_node
from edgeseg.devices.delegate import DelegateLibrary
from edgeseg.devices.delegated import DelegatedDevice
from edgeseg.devices.errors import MissingDriverError
from edgeseg.devices.linux_files import ROOT
from edgeseg.devices.litert import find_runtime
from edgeseg.devices.profile import DeviceUnit, Profile

if TYPE_CHECKING:
    from pathlib import Path

OPERATOR = b"ethos-u"
LIBRARY = DelegateLibrary(
    "libethosu",
    ("libethosu_delegate.so", "libethosu_op.so"),
    "EDGESEG_LIBETHOSU",
    "the Ethos-U",
    "libethosu_delegate.so or libethosu_op.so is not installed: the image of the "
    "board's maker has it; another file is taken with "
    "EDGESEG_LIBETHOSU=/path/FILE.so",
)
CHIP = Chip(
    device="ethos_u",
    title="Arm Ethos-U",
    sign="/dev/ethosu0",
    look=first_node("ethosu[0-9]*"),
    lacks=lambda root: LIBRARY.hint if LIBRARY.find(root) is None else "",
    advice="load the driver of the board's image, or run the model on another device",
)
# multiply-adds a cycle of each size of the chip, as Arm's compiler names them
_SIZES = {"55": (32, 64, 128, 256), "65": (256, 512), "85": (128, 256, 512, 1024, 2048)}


class EthosU(DelegatedDevice):
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
        device = f"ethos-u{unit or '65-256'}"
        check_compiled(model, OPERATOR, "an Ethos-U", device)
        if unit.startswith("55"):
            raise MissingDriverError(
                "an Ethos-U55 stands beside a microcontroller, which does not run "
                "edgeseg: build the compiled file into its firmware"
            )
        node = CHIP.require(root)
        super().__init__(
            model,
            name="ethos_u",
            threads=threads,
            library=LIBRARY,
            runtime=find_runtime,
            options={},
            described={"node": node},
            root=root,
        )


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
    find=CHIP.find,
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
