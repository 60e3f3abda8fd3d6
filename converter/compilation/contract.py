"""The contract of a compiler: what it is started with, and what it answers.

A file of `edgeseg.converter.compilers` defines ``PLUGIN``, a `Compiler`, called without
arguments. Another package brings one with an entry point of the group
``edgeseg.compilers``; the profile of a device names it, see
`edgeseg.devices.profile.Profile`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[[list[str]], "Ended"]


@dataclass(frozen=True)
class Request:
    """What a user asks of a compiler beyond the model.

    Parameters
    ----------
    unit : str
        Of the device: which chip it is, such as ``"65-512"``.
    min_runtime : int or None
        Oldest runtime of the chip that must run the file.
    system_config, memory_mode : str or None
        The compiler's own names for clocks and memories of the board.
    calibration : Path or None
        Folder of photos, for a compiler that quantizes itself.
    """

    unit: str = ""
    min_runtime: int | None = None
    system_config: str | None = None
    memory_mode: str | None = None
    calibration: Path | None = None


@dataclass(frozen=True)
class Ended:
    """A program that has ended: its exit status, negative for a signal, and output."""

    code: int
    printed: str


@dataclass(frozen=True)
class Row:
    """Operators of one kind and status.

    Parameters
    ----------
    op : str
        Name in the TensorFlow Lite schema.
    count : int
        How many.
    status : str
        In the compiler's words.
    mapped : bool
        Whether the chip runs them.
    """

    op: str
    count: int
    status: str
    mapped: bool


@dataclass(frozen=True)
class CompiledOperator:
    """What became of one operator of the source.

    Parameters
    ----------
    index : int
        In the source, from 0.
    op : str
        Name in the TensorFlow Lite schema.
    mapped : bool
        Whether the chip runs it.
    status : str
        Why not, in the compiler's words; empty where it runs there.
    cycles : int
        Of the chip, as the compiler estimates; what it adds before an operator counts
        as that operator's.
    """

    index: int
    op: str
    mapped: bool
    status: str = ""
    cycles: int = 0


@dataclass(frozen=True)
class Estimate:
    """What a compiler expects of its own result; nobody has measured it.

    Parameters
    ----------
    milliseconds : float
        Of an inference.
    cycles : int
        Of the chip, at `clock_mhz`.
    clock_mhz : float
        That the estimate is for.
    sram_kib, dram_kib : float
        Memory used.
    system_config, memory_mode : str
        The board that the estimate is for, in the compiler's words.
    """

    milliseconds: float
    cycles: int
    clock_mhz: float
    sram_kib: float
    dram_kib: float
    system_config: str
    memory_mode: str


@dataclass(frozen=True)
class Memory:
    """What a compiled network needs of a chip that has all of it inside.

    Parameters
    ----------
    weights_kib, activations_kib : float
        For what is fixed, and for what changes with the picture.
    used_kib, available_kib : float
        All of it, and what the chip has.
    fits : bool
        In the compiler's words.
    """

    weights_kib: float
    activations_kib: float
    used_kib: float
    available_kib: float
    fits: bool


@dataclass(frozen=True)
class Answer:
    """What a compiler has made.

    Parameters
    ----------
    content : bytes
        The compiled model.
    version : str
        Of the compiler; empty where it did not say.
    rows : tuple of Row
        Operators by kind and status.
    operators : tuple of CompiledOperator
        One by one, in the order of the source; empty where it does not say.
    estimate : Estimate or None
        None where it makes none.
    memory : Memory or None
        None where it does not say.
    agreement : float or None
        Share of cells, 0..1, of up to 16 pictures to which what was made gives the
        class that the network gave before; None where nobody has run it.
    agreement_text : str
        Which network and pictures these are, as it stands behind "it keeps 99 %".
    manifest : str
        Of what was made, in JSON, to be written beside it; empty where the source's
        is taken.
    """

    content: bytes
    version: str
    rows: tuple[Row, ...]
    operators: tuple[CompiledOperator, ...] = ()
    estimate: Estimate | None = None
    memory: Memory | None = None
    agreement: float | None = None
    agreement_text: str = ""
    manifest: str = ""

    @property
    def mapped(self) -> int:
        """How many operators the chip runs."""
        return sum(row.count for row in self.rows if row.mapped)

    @property
    def total(self) -> int:
        """How many operators the source has."""
        return sum(row.count for row in self.rows)


class Compiler(ABC):
    """A compiler of one kind of chip.

    Parameters of a subclass, set in its body:

    title : str
        As people call it, such as ``"Vela"``.
    chip : str
        What it compiles for, such as ``"the Edge TPU"``.
    suffix : str
        Put behind the model's name, such as ``"_edgetpu"``.
    takes : str
        Suffix of the files that it compiles, ``".tflite"`` or ``".onnx"``.
    kind : str
        Suffix of what it makes; anything but ``".tflite"`` is written as it is, and
        the manifest stays with the model or goes beside the result.
    operator : bytes
        Name of the custom operator that only a compiled ``.tflite`` file has.
    options : tuple of str
        Fields of `Request` that it takes beside the unit.
    advice : str
        What tells more where nothing is mapped.
    made_by : str
        The command that makes what it takes of a ``MODEL``; empty for any ``.tflite``.
    """

    title: str
    chip: str
    suffix: str
    takes: str = ".tflite"
    kind: str = ".tflite"
    operator: bytes
    options: tuple[str, ...] = ()
    advice: str = ""
    made_by: str = ""

    @abstractmethod
    def find(self) -> str:
        """Return the program.

        Raises
        ------
        MissingDriverError
            It is not installed; the message says how to install it.
        """

    @abstractmethod
    def compile(self, program: str, source: Path, request: Request, run: Run) -> Answer:
        """Compile a copy of the model, in its folder, which is thrown away afterwards.

        Parameters
        ----------
        program : str
            As `find` returned it.
        source : Path
            The copy, alone in its folder.
        request : Request
            What the user asks for.
        run : callable
            Runs a command, which is killed after the user's time limit.

        Raises
        ------
        ConversionError
            The compiler failed, or its answer cannot be read.
        """
