"""Runs cases through warm processes, one after the other, and judges each."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from hostile.judge import MEMORY_BYTES, Fault, Outcome, judge
from hostile.places import Places

if TYPE_CHECKING:
    from hostile.case import Case, Kind

TESTS = Path(__file__).resolve().parents[1]
_ADDRESS_SPACE = 4 << 30  # bytes above what the warm process has mapped
_LONGEST_OUTPUT = 1 << 22  # bytes of what a command printed that are looked at


@dataclass(frozen=True)
class Result:
    """A case that was run.

    Parameters
    ----------
    case : Case
        What was run.
    outcome : Outcome
        How it ended.
    faults : list of Fault
        What it did that it may not.
    trace : str
        Where it was when it crashed or hung, if that is known.
    inputs : int
        How many hostile inputs the command met: more than one where a server or a
        client sends them.
    """

    case: Case
    outcome: Outcome
    faults: list[Fault]
    trace: str = ""
    inputs: int = 1


class WarmProcess:
    """A fork server of the driver's own; see `fork_server`."""

    def __init__(self, name: str) -> None:
        path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hostile.fork_server", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=TESTS,
            env={**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)},
        )
        self._line()
        pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        self.resident_bytes = int(pages) * os.sysconf("SC_PAGE_SIZE")

    def call(self, request: dict) -> dict:
        """Run one command; return how it ended."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._line())

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the fork server has ended")
        return line


class Driver:
    """Makes inputs, runs commands on them and judges; not for several threads.

    Parameters
    ----------
    folder : Path
        Where folders of cases are made and removed again.
    plain : bool
        Run each command in an interpreter of its own instead of a fork.
    """

    def __init__(self, folder: Path, *, plain: bool = False) -> None:
        self._folder, self._plain = folder, plain
        self._warm: dict[str, WarmProcess] = {}
        # what libraries of commands keep for all of a user's programs
        caches = folder / "caches"
        self._caches = {
            "MPLCONFIGDIR": str(caches / "matplotlib"),
            "GST_REGISTRY": str(caches / "gstreamer.bin"),
        }
        (caches / "matplotlib").mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._warm.values():
            process.close()

    def run(
        self, name: str, kind: Kind, seed: int, number: int, keep: Path | None = None
    ) -> Result:
        """Run one case.

        Parameters
        ----------
        name, kind
            Of the kind.
        seed, number : int
            Which case.
        keep : Path or None
            Where the folder of a case with faults goes.
        """
        root = Path(tempfile.mkdtemp(prefix="hostile-", dir=self._folder))
        try:
            places = Places(root / "case")
            case = kind.make(places.work, Random(f"{seed}/{name}/{number}"), number)
            result = self.run_case(case, kind.warm, places, root)
            if result.faults and keep is not None:
                _keep(keep / f"{name}-{seed}-{number}", root, result)
            return result
        finally:
            shutil.rmtree(root, ignore_errors=True)

    def run_case(
        self,
        case: Case,
        warm: str,
        places: Places,
        control: Path,
        memory_bytes: int = MEMORY_BYTES,
    ) -> Result:
        """Run a case whose files are there; see `run`."""
        process = self._process(warm)
        attendant = case.attendant or contextlib.nullcontext
        files = {key: control / key for key in ("stdout", "stderr", "trace")}
        with attendant() as given:
            argv = list(case.argv)
            if given is not None:
                argv = [word.replace("{}", str(given)) for word in argv]
            path = os.pathsep.join(
                [str(places.work / "bin"), os.environ.get("PATH", "")]
            )
            places.note()
            answer = process.call(
                {
                    "argv": argv,
                    "cwd": str(places.work),
                    "environ": {
                        **places.environ(path),
                        **self._caches,
                        **case.environ,
                    },
                    "timeout_s": case.timeout_s,
                    "memory_bytes": _ADDRESS_SPACE,
                    "plain": self._plain,
                    **{key: str(path) for key, path in files.items()},
                }
            )
        texts = {key: _text(path) for key, path in files.items()}
        outcome = Outcome(
            status=answer["status"],
            hung=answer["hung"],
            peak_bytes=answer["peak_bytes"],
            seconds=answer["seconds"],
            left_behind=tuple(answer["left_behind"]),
            stdout=texts["stdout"],
            stderr=texts["stderr"],
        )
        most = process.resident_bytes + memory_bytes
        faults = judge(case, outcome, places, most)
        inputs = 1
        if given is not None:
            faults += given.faults
            inputs = given.inputs
        return Result(case, outcome, faults, texts["trace"], inputs)

    def _process(self, name: str) -> WarmProcess:
        if name not in self._warm:
            self._warm[name] = WarmProcess(name)
        return self._warm[name]


def _text(path: Path) -> str:
    if not path.exists():
        return ""
    with path.open("rb") as file:
        return file.read(_LONGEST_OUTPUT).decode("utf-8", "backslashreplace")


def _keep(target: Path, root: Path, result: Result) -> None:
    """Keep the folders of a case, and a text that says what happened."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(root, target, symlinks=True)
    lines = [
        f"cd {target}/case/work",
        f"edgeseg {' '.join(result.case.argv)}",
        f"# {result.case.name}",
        *(f"{fault.rule}: {fault.detail}" for fault in result.faults),
        f"status {result.outcome.status} after {result.outcome.seconds} s",
        result.trace,
    ]
    (target / "what.txt").write_text("\n".join(lines) + "\n", "utf-8", "replace")
