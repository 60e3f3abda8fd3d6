"""An accelerator that a board has one of: whether it is there, and what it lacks.

`edgeseg devices` lists by the same look by which a device is opened.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices.errors import MissingDriverError, ModelError
from edgeseg.devices.open import has_operator
from edgeseg.devices.plain_text import one_line
from edgeseg.devices.profile import Found

if TYPE_CHECKING:
    from edgeseg.devices.types import Module


@dataclass(frozen=True)
class Chip:
    """How a chip is found.

    Parameters
    ----------
    device : str
        Name of the device file.
    title : str
        As people call it, such as ``"Hailo chip"``.
    sign : str
        By which it is seen, such as ``"/dev/hailo0"``.
    look : callable
        Takes the folder that stands for ``/``; returns what is seen of the chip, empty
        where there is none.
    lacks : callable
        Takes the same; returns what is missing beside the chip and how to get it,
        empty where nothing is.
    advice : str
        What to do where there is no chip.
    """

    device: str
    title: str
    sign: str
    look: Callable[[Path], str]
    lacks: Callable[[Path], str]
    advice: str

    def find(self, root: Path) -> tuple[Found, ...]:
        """Return what `edgeseg devices` says of it; see `Profile.find`."""
        if not self.look(root):
            hint = f"no {self.title} (no {self.sign})"
            return (Found(self.device, "absent", hint),)
        missing = self.lacks(root)
        if missing:
            return (Found(self.device, "incomplete", missing),)
        return (Found(self.device, "ready", self.title),)

    def require(self, root: Path) -> str:
        """Return what is seen of the chip.

        Raises
        ------
        MissingDriverError
            There is none, or something beside it is missing.
        """
        seen = self.look(root)
        if not seen:
            raise MissingDriverError(
                f"no {self.title} found (no {self.sign}): {self.advice}"
            )
        missing = self.lacks(root)
        if missing:
            raise MissingDriverError(missing)
        return seen


@dataclass(frozen=True)
class DriverPackage:
    """A Python package of the chip's maker, which the board's system brings.

    Parameters
    ----------
    module : str
        To import.
    title : str
        As messages call it.
    hint : str
        Says that it is missing, and where to get it.
    """

    module: str
    title: str
    hint: str

    def missing(self, root: Path) -> str:
        """Return the hint where it is not installed, else nothing; see `Chip.lacks`."""
        name = self.module.partition(".")[0]
        return self.hint if importlib.util.find_spec(name) is None else ""

    def load(self) -> Module:
        """Import it.

        Raises
        ------
        MissingDriverError
            It, or something that it needs, is not installed or cannot be loaded.
        """
        try:
            return importlib.import_module(self.module)
        except ImportError as error:
            raise MissingDriverError(f"{self.hint} ({one_line(error)})") from error
        except Exception as error:  # the makers' own kinds derive from it alone
            raise MissingDriverError(
                f"{self.title} cannot be loaded: {one_line(error)}"
            ) from error


def first_node(pattern: str) -> Callable[[Path], str]:
    """Return a look for device files, such as ``"hailo[0-9]*"``."""

    def look(root: Path) -> str:
        nodes = sorted((root / "dev").glob(pattern))
        return str(nodes[0]) if nodes else ""

    return look


def check_compiled(model: Path, operator: bytes, chip: str, device: str) -> None:
    """Raise `ModelError` where a file holds no operator of a chip's compiler.

    Parameters
    ----------
    model : Path
        One that is not there is left to whoever reads it.
    operator : bytes
        Name of the custom operator.
    chip, device : str
        As people call it, and what to compile for.
    """
    if model.exists() and not has_operator(model, operator):
        raise ModelError(
            f"{model} is not compiled for {chip}, nothing of it would run there: "
            f"edgeseg compile {model} --device {device}"
        )
