"""Signals, sent to real processes."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import threading
import time

import pytest

from edgeseg.runtime import open_source
from edgeseg.runtime.pipeline.stopping import stopping_on_signals

LIMIT_S = 60
EDGESEG = (sys.executable, "-c", "from edgeseg.runtime.cli import main; main()")
LIVE = "synthetic:64x48,live,fps=50"

# a run whose sink is in a write that no flag ends
STUCK = """
import sys, time
from edgeseg.runtime.commands.run import run
from edgeseg.runtime.sinks.null import NullSink

def write(self, capture, segmentation):
    print("writing", flush=True)
    time.sleep(600)

NullSink.write = write
run(sys.argv[1:])
"""


def heed_hangup():
    """Let SIGHUP act in this process: nohup has it ignored, and a run leaves it so."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def take_terminal():
    """Make the standard input's terminal that of this process, and heed its end."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    heed_hangup()


class Child:
    """A process whose standard output is read line by line."""

    def __init__(self, *command):
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=heed_hangup,
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.communicate()

    def end(self):
        """Return exit code and standard error."""
        errors = self.process.communicate(timeout=LIMIT_S)[1]
        return self.process.returncode, errors


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
)
def test_a_signal_ends_a_run_in_order(number, code, golden_model, tmp_path):
    clip = tmp_path / "clip.mp4"
    outputs = ("-o", "-", "-o", clip)
    with Child(*EDGESEG, "run", golden_model, LIVE, *outputs) as child:
        lines = [json.loads(child.process.stdout.readline()) for _ in range(3)]
        child.process.send_signal(number)
        returned, errors = child.end()
    assert returned == code, errors
    assert lines[0]["name"].startswith("scene_")
    assert "pictures" in errors  # the summary
    assert "Traceback" not in errors
    with open_source(str(clip)) as source:
        assert len(list(source.captures())) >= 3


def test_a_closed_terminal_ends_a_run_in_order(golden_model, tmp_path):
    clip, lines = tmp_path / "clip.mp4", tmp_path / "lines.jsonl"
    terminal, end = pty.openpty()
    with subprocess.Popen(
        [*EDGESEG, "run", golden_model, LIVE, "-o", clip, "-o", lines],
        stdin=end,
        stdout=end,
        stderr=end,
        start_new_session=True,
        preexec_fn=take_terminal,
    ) as process:
        os.close(end)
        try:
            wait_until(lambda: lines.exists() and lines.stat().st_size > 5000)
            os.close(terminal)
            assert process.wait(LIMIT_S) == 129
        finally:
            process.kill()
    assert not clip.with_suffix(".part.mp4").exists()
    with open_source(str(clip)) as source:
        assert len(list(source.captures())) >= 3


def wait_until(true):
    deadline = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_signal_before_the_first_frame_is_no_traceback(golden_model):
    # in short pieces: a signal just before a long sleep would wait for its end
    code = "import time\nprint('up', flush=True)\nwhile True: time.sleep(0.02)"
    opening = (
        "import sys\n"
        "from edgeseg.runtime.commands.run import run\n"
        "import edgeseg.runtime.capture.open\n"
        f"def wait(*_):\n    exec({code!r})\n"
        "edgeseg.runtime.capture.open.open_source = wait\n"
        "run(sys.argv[1:])\n"
    )
    for number, expected in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        with Child(sys.executable, "-c", opening, golden_model, LIVE) as child:
            assert child.process.stdout.readline() == "up\n"
            child.process.send_signal(number)
            returned, errors = child.end()
        assert (returned, errors) == (expected, "")


def test_a_second_signal_ends_the_process_at_once(golden_model):
    command = (sys.executable, "-c", STUCK, golden_model, LIVE, "-o", "null")
    with Child(*command) as child:
        assert child.process.stdout.readline() == "writing\n"
        child.process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            child.process.wait(0.5)
        child.process.send_signal(signal.SIGINT)
        assert child.process.wait(LIMIT_S) == -signal.SIGINT


def test_a_sink_that_hangs_does_not_hang_the_process(golden_model):
    command = (sys.executable, "-c", STUCK, golden_model, LIVE, "-o", "null")
    with Child(*command) as child:
        assert child.process.stdout.readline() == "writing\n"
        child.process.send_signal(signal.SIGTERM)
        returned, errors = child.end()
    assert returned == 1
    assert "an output has not taken a frame within 5 s" in errors


def test_handlers_are_put_back():
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    with stopping_on_signals() as stop:
        assert signal.getsignal(signal.SIGINT) is not before[0]
        stop.running = True
        signal.raise_signal(signal.SIGTERM)
        assert (stop.asked, stop.signal) == (True, signal.SIGTERM)
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before


def test_outside_the_main_thread_no_handler_is_set():
    found = []

    def look():
        with stopping_on_signals():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join(LIMIT_S)
    assert found == [signal.getsignal(signal.SIGINT)]
