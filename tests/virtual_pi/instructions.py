"""How many instructions an inference takes on a board's processor.

An emulator knows nothing of time, but it runs every instruction: their number depends
on no load, clock or thread. It says how much work a network is beside another one on
the same processor, and not how long either takes: it knows no caches and no memory.

The count of a program with one inference is taken from that of one with several, so
that Python's start drops out.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulated.environment import run
from emulated.unavailable import UnavailableError, execute

from edgeseg.runtime.model.embedded import sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from virtual_pi.pi import VirtualPi

# the statically linked one loads no plugin
EMULATOR = "qemu-aarch64"
SOURCE = Path(__file__).with_name("count_instructions.c")
_FEW, _MANY = 1, 3
# the pages of the interpreter come in while it runs: Python's own start varies by this
RESOLUTION = 5_000_000
_INFERENCES = """\
import sys
try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:
    from tflite_runtime.interpreter import Interpreter
interpreter = Interpreter(model_path=sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
for _ in range(int(sys.argv[2])):
    interpreter.invoke()
"""


def build_counter(folder: Path) -> Path:
    """Compile the plugin into a folder.

    Raises
    ------
    UnavailableError
        There is no C compiler, or no emulator that loads plugins.
    """
    if shutil.which(EMULATOR) is None:
        raise UnavailableError(
            f"{EMULATOR} is missing: apt-get install qemu-user (the static one loads "
            "no plugin)"
        )
    plugin = folder / "count_instructions.so"
    options = ["-shared", "-fPIC", "-O2", "-fvisibility=hidden"]
    execute(["cc", *options, "-o", str(plugin), str(SOURCE)])
    return plugin


def instructions(pi: VirtualPi, model: Path, plugin: Path) -> int:
    """Return the instructions of one inference with one thread.

    Raises
    ------
    UnavailableError
        The board cannot run the model.
    """
    few, many = (_count(pi, model, plugin, n) for n in (_FEW, _MANY))
    return (many - few) // (_MANY - _FEW)


def _count(pi: VirtualPi, model: Path, plugin: Path, inferences: int) -> int:
    with tempfile.TemporaryDirectory() as text:
        out, script = Path(text, "count"), Path(text, "inferences.py")
        script.write_text(_INFERENCES)
        command = [
            *pi.emulated_by(EMULATOR, "-plugin", f"{plugin},out={out}"),
            *(script, model.absolute(), str(inferences)),
        ]
        done = run(command, timeout=1200, PYTHONHASHSEED="0")
        if done.returncode or not out.is_file():
            lines = done.stderr.strip().splitlines() or ["no message"]
            raise UnavailableError(f"{model.name} on {pi.folder.name}: {lines[-1]}")
        return int(out.read_text())


def count(
    pis: Sequence[VirtualPi], models: Sequence[Path], tell: Callable[[str], None]
) -> dict[str, Any]:
    """Return a record of the instructions of models, and their ratios to the first.

    Parameters
    ----------
    pis : sequence of VirtualPi
        The boards.
    models : sequence of Path
        ``.tflite`` files.
    tell : callable
        Called with a line for each.
    """
    rows = []
    with tempfile.TemporaryDirectory() as text:
        plugin = build_counter(Path(text))
        for model in models:
            row: dict[str, Any] = {"model": model.stem, "sha256": sha256(model)}
            for pi in pis:
                row[pi.folder.name] = found = instructions(pi, model, plugin)
                first = rows[0][pi.folder.name] if rows else found
                row[f"{pi.folder.name} ratio"] = round(found / first, 3)
                tell(
                    f"{model.stem} on {pi.folder.name}: {found / 1e6:.0f} million, "
                    f"{found / first:.2f} times those of {models[0].stem}"
                )
            rows.append(row)
    return {
        "emulator": execute([EMULATOR, "--version"]).splitlines()[0],
        "boards": {pi.folder.name: pi.board.cpu for pi in pis},
        "threads": 1,
        "models": rows,
    }
