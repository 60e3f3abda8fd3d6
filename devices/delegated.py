"""Inference in which an interpreter hands a chip's operators to a delegate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.cores import physical_cores
from edgeseg.devices.tflite import TFLiteDevice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from edgeseg.devices.delegate import DelegateLibrary
    from edgeseg.devices.litert import Runtime
    from edgeseg.devices.types import Json


class DelegatedDevice(TFLiteDevice):
    """A chip behind a delegate; what it does not take stays on the processor.

    Parameters
    ----------
    model : Path
        A ``.tflite`` file that was compiled for the chip.
    name : str
        What `describe` calls the device.
    threads : int or None
        Threads of the operators on the processor; None takes the physical cores.
    library : DelegateLibrary
        Brings the chip to the interpreter.
    runtime : callable
        Returns the interpreter, after the library is known to be there.
    options : mapping of str to str
        The delegate's.
    described : dict
        What `describe` says beside.
    root : Path
        Where ``usr`` is.

    Raises
    ------
    MissingDriverError
        No library, or one that cannot be loaded.
    """

    def __init__(
        self,
        model: Path,
        *,
        name: str,
        threads: int | None,
        library: DelegateLibrary,
        runtime: Callable[[], Runtime],
        options: Mapping[str, str],
        described: Json,
        root: Path,
    ) -> None:
        path = library.installed(root)
        found = runtime()
        delegate = library.load(path, found, dict(options))
        super().__init__(
            model,
            name=name,
            threads=threads or physical_cores(),
            runtime=found,
            delegates=(delegate,),
        )
        self._described = {"delegate": str(path), **described}

    def describe(self) -> Json:
        """Return device, runtime, version, threads, delegate and the chip's own."""
        return {**super().describe(), **self._described}
