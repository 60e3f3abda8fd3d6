"""One ``gst-launch-1.0`` child process: its start, its words, its end."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import shlex
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.base import Closing
from edgeseg.runtime.gstreamer.errors import no_gstreamer

if TYPE_CHECKING:
    from collections.abc import Sequence

TICK = 0.1  # seconds between looks at whether to stop
_PIPE_BYTES = 1 << 20  # what Linux gives any user: few switches between the processes
_KEPT = 8192  # bytes of the child's words that are kept
_GRACE = 1.0  # seconds to end after SIGINT, which lets camera drivers shut down


class GstChild(Closing):
    """A running pipeline in a process group of its own.

    Parameters
    ----------
    words : sequence of str
        The pipeline, one word an argument.
    pass_fds : sequence of int
        File descriptors that the child inherits under the same numbers.
    stdin : int or None
        File descriptor that becomes the child's standard input; nothing without.
    quiet : bool
        Leave out the messages about progress.

    Raises
    ------
    MissingDriverError
        ``gst-launch-1.0`` is not installed.
    """

    def __init__(
        self,
        words: Sequence[str],
        *,
        pass_fds: Sequence[int] = (),
        stdin: int | None = None,
        quiet: bool = True,
    ) -> None:
        launcher = shutil.which("gst-launch-1.0")
        if launcher is None:
            raise no_gstreamer()
        self._words, writing = os.pipe()
        os.set_blocking(self._words, False)
        self._said = b""
        self._closed = False
        try:
            self._process = subprocess.Popen(
                [launcher, *(["-q"] if quiet else []), *words],
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=writing,
                stderr=writing,
                pass_fds=pass_fds,
                # errors are looked for in English
                env={**os.environ, "LC_ALL": "C.UTF-8", "GST_DEBUG_NO_COLOR": "1"},
                start_new_session=True,
            )
        except BaseException:
            os.close(self._words)
            raise
        finally:
            os.close(writing)

    @property
    def pid(self) -> int:
        """Process id, which is the id of its process group too."""
        return self._process.pid

    @property
    def said(self) -> str:
        """The last words of the child."""
        self._listen()
        return self._said.decode(errors="replace")

    def wait_for(self, fd: int, event: int, seconds: float) -> bool:
        """Wait until a pipe is ready, while taking in what the child says.

        Parameters
        ----------
        fd : int
            The pipe.
        event : int
            ``select.POLLIN`` or ``select.POLLOUT``.
        seconds : float
            How long to wait at most.

        Returns
        -------
        bool
            Whether the pipe is ready or broken, so that using it shows which.
        """
        poll = select.poll()
        poll.register(fd, event)
        poll.register(self._words, select.POLLIN)
        for ready, happened in poll.poll(seconds * 1000):
            if ready == fd:
                return True
            if not happened & select.POLLIN:  # hung up: only the end is left to see
                time.sleep(min(seconds, 0.01))
        self._listen()
        return False

    def wait(self, seconds: float) -> int | None:
        """Return the exit status, waiting for it; None where it still runs."""
        end = time.monotonic() + seconds
        while self._process.poll() is None and time.monotonic() < end:
            self._listen()
            time.sleep(0.01)
        return self._process.poll()

    def fate(self) -> str:
        """Return what is known of the end of a child that is seen to end."""
        code = self.wait(_GRACE)
        said = self.said
        if code is not None and code < 0 and "ERROR" not in said:
            return f"gst-launch-1.0 was killed by {signal.Signals(-code).name}"
        return said

    def close(self) -> None:
        """End the child: asked first, then killed; it is waited for."""
        if self._closed:
            return
        self._closed = True
        self._signal(signal.SIGINT)
        if self.wait(_GRACE) is None:
            self._signal(signal.SIGKILL)
            self._process.wait()
        os.close(self._words)

    def _signal(self, number: signal.Signals) -> None:
        if self._process.poll() is None:  # not waited for: the group is still its own
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _listen(self) -> None:
        if self._closed:
            return
        with contextlib.suppress(BlockingIOError):
            while heard := os.read(self._words, _KEPT):
                self._said = (self._said + heard)[-_KEPT:]


def words_of(pipeline: str) -> list[str]:
    """Split a pipeline as a shell would.

    Raises
    ------
    InputError
        It is empty, or a quotation is not closed.

    Examples
    --------
    >>> words_of('videotestsrc pattern=red ! textoverlay text="two words"')
    ['videotestsrc', 'pattern=red', '!', 'textoverlay', 'text=two words']
    """
    try:
        words = shlex.split(pipeline)
    except ValueError as error:
        raise InputError(f"cannot read pipeline {pipeline!r}: {error}") from error
    if not words:
        raise InputError(
            "expected a GStreamer pipeline, such as 'videotestsrc' or "
            "'v4l2src device=/dev/video0', got nothing"
        )
    return words


def quoted(value: str) -> str:
    """Return a property's value so that GStreamer takes it letter by letter.

    Examples
    --------
    >>> print("location=" + quoted("rtsp://camera/a b"))
    location="rtsp://camera/a b"
    """
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def has_elements(*names: str) -> bool:
    """Whether ``gst-launch-1.0`` and all of these elements are installed."""
    inspector = shutil.which("gst-inspect-1.0")
    if inspector is None or shutil.which("gst-launch-1.0") is None:
        return False
    return all(
        subprocess.run([inspector, "--exists", name], check=False).returncode == 0
        for name in names
    )


def frame_pipe() -> tuple[int, int]:
    """Return the reading and the writing end of a pipe with room for frames."""
    reading, writing = os.pipe()
    try:
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    except PermissionError:  # over the user's share of pipe memory: it stays at 64 KiB
        return reading, writing
    return reading, writing
