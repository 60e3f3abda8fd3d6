"""Commands on the board: followed, detached, ended, never left behind."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys

import pytest
from loopback_board import wait_for

from edgeseg.runtime.remote.address import RemoteError
from edgeseg.runtime.remote.running import Follower

COUNTING = """
import signal, sys, time
def end(number, frame):
    print("ends in order", flush=True)
    sys.exit(130)
signal.signal(signal.SIGINT, end)
for index in range(600):
    print("line", index, flush=True)
    time.sleep(0.1)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""


def begin(session, code, *arguments, grace_s=60.0):
    argv = [sys.executable, "-I", "-c", code, *arguments]
    token = os.urandom(4).hex()
    record = {"arguments": ["test"]}
    values = {"token": token, "argv": argv, "environment": {}, "record": record}
    first = session.ask("start", grace_s=grace_s, **values)["run"]
    # asked again, as after a connection that was lost with the answer
    assert session.ask("start", grace_s=grace_s, **values)["run"] == first
    return first


def told_of(session, run):
    return next(t for t in session.ask("runs")["runs"] if t["run"] == run)


def pid_of(session, run):
    return told_of(session, run)["pid"]


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def follow(session, run):
    outputs = {"out": io.BytesIO(), "err": io.BytesIO()}
    code = Follower(session, run, outputs).follow()
    return code, outputs["out"].getvalue(), outputs["err"].getvalue()


@pytest.mark.parametrize("code", [0, 1, 2, 77])
def test_output_and_exit_code_come_back(board, code):
    script = (
        "import sys; sys.stdout.write('o' * 300_000); sys.stderr.write('e' * 100);"
        f"sys.exit({code})"
    )
    with board.session() as session:
        run = begin(session, script)
        assert follow(session, run) == (code, b"o" * 300_000, b"e" * 100)


def test_arguments_are_not_for_a_shell(board):
    odd = ["a b", "it's", '"', "$(touch x)", "`touch x`", ";", "*", "", "ü"]
    with board.session() as session:
        run = begin(session, "import sys; print(ascii(sys.argv[1:]))", *odd)
        assert follow(session, run)[1].decode().strip() == ascii(odd)


def test_a_signal_is_told_as_a_shell_does(board):
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with board.session() as session:
        assert follow(session, begin(session, code))[0] == 137


def test_a_program_that_is_not_there_is_told(board):
    values = {"argv": ["/no/such"], "environment": {}, "record": {}, "grace_s": 1.0}
    with board.session() as session, pytest.raises(RemoteError, match="/no/such"):
        session.ask("start", token="0", **values)


def test_a_cut_while_it_runs_is_gone_over(board, proxy):
    code = COUNTING.replace("600", "30")
    with board.session(port=proxy.port) as session:
        run = begin(session, code)
        session.link()
        cutter = _Cutter(proxy)
        outputs = {"out": cutter, "err": io.BytesIO()}
        assert Follower(session, run, outputs).follow() == 0
    assert proxy.connections == 2
    assert cutter.getvalue().split(b"\n")[:-1] == [b"line %d" % i for i in range(30)]


class _Cutter(io.BytesIO):
    """Cuts the connection once some lines have come."""

    def __init__(self, proxy):
        super().__init__()
        self._proxy = proxy

    def write(self, data):
        count = super().write(data)
        if self._proxy is not None and len(self.getvalue()) > 60:
            self._proxy.cut_all()
            self._proxy = None
        return count


def test_without_a_follower_it_is_ended(board):
    with board.session() as session:
        run = begin(session, COUNTING, grace_s=1.0)
        pid = pid_of(session, run)
        assert is_alive(pid)
    wait_for(lambda: not is_alive(pid))
    with board.session() as session:
        wait_for(lambda: "exit" in told_of(session, run))
        assert told_of(session, run)["exit"] == 130


def test_detached_it_goes_on_until_it_is_stopped(board):
    with board.session() as session:
        run = begin(session, COUNTING, grace_s=None)
        pid = pid_of(session, run)
    done = board.edgeseg("logs")
    assert is_alive(pid)
    assert done.stdout.startswith("line 0\n")
    assert f"{run} runs" in done.stderr
    assert board.edgeseg("logs", "--lines", "1").stdout.count("\n") == 1
    done = board.edgeseg("stop")
    assert f"{run} ended with exit code 130" in done.stdout
    assert not is_alive(pid)
    assert board.edgeseg("logs", run).stdout.endswith("ends in order\n")


def test_logs_follow_until_the_end(board):
    with board.session() as session:
        run = begin(session, COUNTING.replace("600", "15"), grace_s=None)
    done = board.edgeseg("logs", "--follow", run)
    assert done.stdout.splitlines() == [f"line {i}" for i in range(15)]
    assert "ended with exit code 0" in done.stderr


def test_ctrl_c_leaves_what_is_only_looked_at(board):
    with board.session() as session:
        run = begin(session, COUNTING, grace_s=None)
        pid = pid_of(session, run)
    client = subprocess.Popen(
        board.call("logs", "--follow", run), stdout=subprocess.PIPE, text=True
    )
    client.stdout.readline()
    client.send_signal(signal.SIGINT)
    client.communicate(timeout=20)
    assert is_alive(pid)
    assert board.edgeseg("stop", run).returncode == 0
    assert not is_alive(pid)


def test_what_does_not_end_is_killed_at_the_second_ctrl_c(board, tmp_path):
    with board.session() as session:
        run = begin(session, STUBBORN)
        pid = pid_of(session, run)
    script = (
        "import sys; from pathlib import Path\n"
        "from edgeseg.runtime.remote.address import BoardAddress\n"
        "from edgeseg.runtime.remote.running import Follower\n"
        "from edgeseg.runtime.remote.session import Session\n"
        "board = BoardAddress('board', config=Path(sys.argv[1]))\n"
        "session = Session(board, report=print)\n"
        "outputs = {'out': sys.stdout.buffer, 'err': sys.stderr.buffer}\n"
        "sys.exit(Follower(session, sys.argv[2], outputs).follow())\n"
    )
    call = [sys.executable, "-c", script, str(board.config()), run]
    client = subprocess.Popen(call, stdout=subprocess.PIPE, text=True)
    assert client.stdout.readline() == "ready\n"
    client.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        client.wait(1)
    assert is_alive(pid)
    client.send_signal(signal.SIGINT)
    assert client.wait(20) == 137
    client.stdout.close()
    assert not is_alive(pid)


def test_a_run_that_is_not_known_is_told(board):
    done = board.edgeseg("logs", "nothing")
    assert done.returncode == 1
    assert "no run 'nothing' on board" in done.stderr


def test_before_any_run_that_is_told(fresh_board):
    done = fresh_board.edgeseg("stop")
    assert done.returncode == 1
    assert done.stderr == "Error: nothing has been run on board yet\n"
