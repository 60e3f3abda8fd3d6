"""What is here and what could be: the board, its cores, interpreter and devices."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

from edgeseg.devices.accelerators import find_edge_tpus, find_vulkan_drivers
from edgeseg.devices.address import profile_of
from edgeseg.devices.board import detect_board
from edgeseg.devices.cores import core_groups
from edgeseg.devices.errors import MissingDriverError
from edgeseg.devices.linux_files import ROOT
from edgeseg.devices.open import DEVICES
from edgeseg.devices.profile import Found
from edgeseg.devices.support import support_of

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json

# distributions that bring a TFLite interpreter, in the order in which they are taken
INTERPRETERS = ("ai-edge-litert", "tflite-runtime", "tensorflow")


def inventory(root: Path = ROOT) -> Json:
    """Return a machine's board, cores, interpreter, accelerators and devices.

    Nothing is opened: a device that is ``"ready"`` may still refuse a model.

    Parameters
    ----------
    root : Path
        Where ``proc``, ``sys``, ``etc`` and ``usr`` are.

    Returns
    -------
    dict
        JSON values: ``board``, ``cores``, ``interpreter``, ``accelerators``,
        ``auto`` (the device that ``--device auto`` takes), ``devices`` (a list of
        ``device``, ``state``, ``hint``), ``profile`` (what suits ``auto``) and
        ``support`` (rows of the support table for this board).
    """
    board = detect_board(root)
    return {
        "board": board.to_dict(),
        "cores": [group.__dict__ for group in core_groups(root)],
        "interpreter": installed_interpreter(),
        "accelerators": {
            "edge_tpus": [tpu.__dict__ for tpu in find_edge_tpus(root)],
            "vulkan_drivers": [d.__dict__ for d in find_vulkan_drivers(root)],
        },
        "auto": board.device,
        "devices": [found.to_dict() for found in find_devices(root)],
        "profile": profile_of(DEVICES, board.device).to_dict(),
        "support": [row.to_dict() for row in support_of(board.kind)],
    }


def find_devices(root: Path = ROOT) -> tuple[Found, ...]:
    """Return every device string that is here or could be, with its state."""
    found: list[Found] = []
    for name in DEVICES.names():
        try:
            profile = profile_of(DEVICES, name)
        except MissingDriverError as error:
            found.append(Found(name, "incomplete", str(error)))
            continue
        if profile.find is None:
            found.append(Found(name, "ready", profile.summary or "says no more"))
        else:
            found.extend(profile.find(root))
    return tuple(found)


def installed_interpreter() -> dict[str, str] | None:
    """Return name and version of the interpreter package that would be taken."""
    for name in INTERPRETERS:
        try:
            return {"name": name, "version": metadata.version(name)}
        except metadata.PackageNotFoundError:
            continue
    return None
