"""A board that answers what a test wants: a real process in the place of ``ssh``.

It speaks the protocol of `edgeseg.runtime.remote`. What a test does not change is
answered as an honest board does, so that each test changes one thing. No sshd is
needed.
"""

from __future__ import annotations

import hashlib
import json
import os
import pty
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from loopback_board import write_wheel

from edgeseg.devices.plain_text import is_printable
from edgeseg.runtime.cli import main
from edgeseg.runtime.remote.address import BoardAddress
from edgeseg.runtime.remote.session import Session

RUN = "20240101-000000-abcd"
GREETING = "\0edgeseg board 1\n"
MEMORY_KB = 2 << 20  # that a command has as a process of its own
LIMIT_S = 60  # for what would never end

# what the process does is in play.json, read again for each request: lists of
# ["say", text], ["complain", text] (on standard error), ["endless", text], ["wait"],
# ["exit", status] and ["honest"]; texts stand for bytes, one a character
PROGRAM = """\
#!{python} -IS
import hashlib, json, os, sys
def playing():
    with open({play!r}) as file:
        return json.load(file)
def say(data, number=1):
    view = memoryview(data)
    while view:
        view = view[os.write(number, view):]
def act(actions, request=None):
    for name, *values in actions:
        if name == "say":
            say(values[0].encode("latin-1"))
        elif name == "complain":
            say(values[0].encode("latin-1"), 2)
        elif name == "endless":
            piece = values[0].encode("latin-1")
            piece *= 1 + 60000 // len(piece)
            while True:
                say(piece)
        elif name == "wait":
            while os.read(0, 65536):
                pass
            os._exit(0)
        elif name == "exit":
            os._exit(values[0])
        else:
            honest(request)
def message(**values):
    say(json.dumps(values).encode() + b"\\n")
def honest(request):
    op, files = request["op"], playing()["files"]
    told = {{"run": {run!r}, "running": False, "folder": "/there/run", "exit": 0,
            "arguments": ["run", "animals"]}}
    if op == "facts":
        message(machine="aarch64", glibc="2.36", home="/home/pi", root="/home/pi/r",
                python=[3, 11, 2])
    elif op == "python":
        message(path="/usr/bin/python3", bits=64, venv=True, version=[3, 11, 2],
                markers={{}})
    elif op == "state":
        message(offsets=[-1] * len(request["blobs"]), free=10 ** 12)
    elif op == "commit":
        message(damaged=[])
    elif op == "tree":
        message(path="/there/" + request["name"])
    elif op == "find":
        message(python=None)
    elif op == "make":
        message(note="Installing")
        message(python="/there/bin/python")
    elif op == "start":
        message(run={run!r})
    elif op == "follow":
        message(following=request["run"])
        for action in playing()["following"]:
            act([action])
        for name in list(request["offsets"])[:1]:
            message(file=name, payload=5)
            say(b"done\\n")
        message(**told)
    elif op == "end":
        message(**told)
    elif op == "runs":
        message(runs=[told])
    elif op == "tail":
        message(text="a line\\n", sizes={{"log": 7}})
    elif op == "results":
        content = {{name: text.encode() for name, text in files.items()}}
        message(files=[[name, len(data), hashlib.sha256(data).hexdigest()]
                       for name, data in content.items()])
    elif op == "get":
        data = files[request["path"]].encode()[request["offset"]:]
        message(payload=len(data))
        say(data)
act(playing()["before"])
requests = sys.stdin.buffer
requests.read(int(requests.readline()))
act(playing()["greeting"])
for line in requests:
    request = json.loads(line)
    if request["op"] == "put":
        requests.read(request["payload"])
    elif request["op"] != "stop":
        act(playing()["answers"].get(request["op"], [["honest"]]), request)
"""


@contextmanager
def at_most(seconds):
    """Let a test fail that would never end."""
    before = signal.signal(
        signal.SIGALRM, lambda *_: pytest.fail(f"did not end within {seconds} s")
    )
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def message(**values):
    """Return the action that sends a message."""
    return ["say", json.dumps(values) + "\n"]


def entry(name, text="x", *, size=None, sha=None):
    """Return a file as `results` lists it."""
    data = text.encode()
    sha = hashlib.sha256(data).hexdigest() if sha is None else sha
    return [name, len(data) if size is None else size, sha]


class HostileBoard:
    """A folder with an ``ssh`` that is a board.

    Parameters
    ----------
    folder : Path
        Where its files go; its folder ``bin`` belongs into PATH.
    """

    def __init__(self, folder):
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.wheel = write_wheel(folder)
        self._play = folder / "play.json"
        text = PROGRAM.format(python=sys.executable, play=str(self._play), run=RUN)
        (self.bin / "ssh").write_text(text)
        (self.bin / "ssh").chmod(0o755)
        self.play()

    def play(self, *, before=(), greeting=None, following=(), files=None, **answers):
        """Choose what it does: actions for each request, and before and among them."""
        told = {
            "before": before,
            "greeting": [["say", GREETING]] if greeting is None else greeting,
            "following": following,
            "files": files or {},
            "answers": answers,
        }
        self._play.write_text(json.dumps(told))

    def session(self, told):
        """Return a session; its lines of progress go into a list."""
        return Session(BoardAddress("board"), report=told.append, delays_s=())

    def invoke(self, *arguments):
        """Call ``edgeseg remote board ...`` in this process."""
        words = ["remote", "board", *map(str, arguments)]
        with at_most(LIMIT_S):
            return CliRunner().invoke(main, words)

    def edgeseg(self, *arguments, **options):
        """Call it as a process of its own, with bounded memory."""
        limited = ["sh", "-c", f'ulimit -v {MEMORY_KB}; exec "$@"', "sh"]
        return subprocess.run(
            [*limited, *self.call(*arguments)],
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            **options,
        )

    def call(self, *arguments):
        """Return the command line of such a process."""
        code = "from edgeseg.runtime.cli import main; main()"
        words = ["remote", "board", *map(str, arguments)]
        return [sys.executable, "-c", code, *words]

    def on_a_terminal(self, *arguments):
        """Call it on a terminal; return what that is to show."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            self.call(*arguments), stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        watch = threading.Timer(LIMIT_S, process.kill)
        watch.start()
        shown = b""
        try:
            while piece := os.read(ours, 1 << 16):
                shown += piece
        except OSError:  # how Linux says that the other side is closed
            pass
        os.close(ours)
        watch.cancel()
        assert process.wait() >= 0, f"did not end within {LIMIT_S} s"
        return shown


def judged(done):
    """Check the one thing that any answer may lead to: the result, or a clear line."""
    if isinstance(done, subprocess.CompletedProcess):
        code, lines = done.returncode, done.stderr.splitlines()
    else:
        assert done.exception is None or isinstance(done.exception, SystemExit), repr(
            done.exception
        )
        code, lines = done.exit_code, done.output.splitlines()
    assert code in (0, 1), (code, lines[-5:])
    errors = [line for line in lines if line.startswith("Error: ")]
    assert errors == lines[-1:] if code else errors == []
    assert all(is_printable(line) and len(line) < 1500 for line in lines), lines
    return code


def refused(done, words=""):
    """Check that it ended in one line with these words; return the line."""
    assert judged(done) == 1
    text = done.stderr if hasattr(done, "returncode") else done.output
    line = text.splitlines()[-1]
    assert words in line
    return line
