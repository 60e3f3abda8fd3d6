"""Child processes of a soak, and what Linux knows of one that runs."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, MissingDriverError
from edgeseg.devices.base import Closing
from edgeseg.devices.process_log import reason_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeseg.devices.types import Json

_EDGESEG = (sys.executable, "-c", "from edgeseg.runtime.cli import main; main()")
_BROWSER_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--remote-debugging-port=0",
)


@dataclass(frozen=True)
class Sample:
    """One process at one moment.

    Parameters
    ----------
    at_s : float
        `time.monotonic`.
    resident_bytes, threads, descriptors : int
        Resident memory, threads and open file descriptors.
    frames : int
        Frames finished so far.
    """

    at_s: float
    resident_bytes: int
    threads: int
    descriptors: int
    frames: int

    def to_dict(self) -> Json:
        """Return the sample as JSON values."""
        return asdict(self)


class Child(Closing):
    """A process in a group of its own, whose output goes to a file.

    Parameters
    ----------
    command : sequence of str
        What to start.
    log : Path
        Where its output goes.
    """

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def check(self) -> None:
        """Raise `InputError` with the last line it wrote if it has ended."""
        if self._process.poll() is not None:
            reason = reason_in(self.log.read_text("utf-8", "replace"))
            raise InputError(
                f"a child ended with {self._process.returncode}: "
                f"{reason or 'it wrote nothing'}"
            )

    def kill(self) -> None:
        """End it without a warning, as a power cut would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """Ask it to end, and end it if it does not within five seconds."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self.kill()


def start_camera(port: int, folder: Path, fps: float) -> Child:
    """Start `edgeseg.benchmarks.studies.live.camera` at a rate in frames a second."""
    command = [
        sys.executable,
        "-m",
        "edgeseg.benchmarks.studies.live.camera",
        str(port),
        f"{fps:g}",
    ]
    return Child(command, folder / "camera.log")


def start_run(words: Sequence[str], folder: Path) -> Child:
    """Start ``edgeseg run`` with these words."""
    return Child([*_EDGESEG, "run", *words], folder / "run.log")


def start_browser(url: str, folder: Path) -> Child:
    """Open a page in headless Chromium.

    Raises
    ------
    MissingDriverError
        It is not installed.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise MissingDriverError("a soak needs Chromium: apt install chromium")
    profile = tempfile.mkdtemp(prefix="profile-", dir=folder)
    command = [program, *_BROWSER_OPTIONS, f"--user-data-dir={profile}", url]
    return Child(command, folder / "browser.log")


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def sample(pid: int, frames: int, root: Path = Path("/")) -> Sample:
    """Return what ``/proc`` says of a process: proc(5)."""
    folder = root / f"proc/{pid}"
    text = (folder / "status").read_text("utf-8", "replace")
    status = dict(line.split(":", 1) for line in text.splitlines())
    return Sample(
        time.monotonic(),
        int(status["VmRSS"].split()[0]) * 1024,
        int(status["Threads"]),
        len(list((folder / "fd").iterdir())),
        frames,
    )


def wait_until(true: Callable[[], bool], limit_s: float) -> float | None:
    """Wait for something; return the seconds it took, None if it did not come."""
    start = time.monotonic()
    while not true():
        if time.monotonic() - start > limit_s:
            return None
        time.sleep(0.1)
    return time.monotonic() - start
