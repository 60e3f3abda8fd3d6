"""A run that is always on gets the new model, and the old one again if that fails.

The run is a real one, in a process of its own; what restarts it is a script here, as it
is systemd on a board.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import textwrap
import urllib.request

import pytest
from mqtt_broker import free_port, soon

from edgeseg.runtime.installation.journal import read_steps
from edgeseg.runtime.installation.supervising import (
    UnhealthyError,
    supervisor_of,
    watch,
)
from edgeseg.runtime.model.embedded import sha256

pytest.importorskip("uvicorn", reason="needs the extra `web`")

# Starts `edgeseg run` in the background, after ending the one that runs.
RESTART = """
    import os, signal, subprocess, sys, time
    pid_file, log, *command = sys.argv[1:]
    if os.path.exists(pid_file):
        pid = int(open(pid_file).read())
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    with open(log, "ab") as out:
        run = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
    open(pid_file, "w").write(str(run.pid))
"""


class Service:
    """A run of the model by its name, with a page."""

    def __init__(self, folder, classes):
        self.folder, self.log = folder, folder / "log"
        self.port = free_port()
        script = folder / "restart.py"
        script.write_text(textwrap.dedent(RESTART))
        run = [sys.executable, "-m", "edgeseg", "run", "door"]
        run += ["synthetic:64x48,live", "--web", f"127.0.0.1:{self.port}"]
        run += ["--classes", classes]
        words = [sys.executable, script, folder / "pid", self.log, *run]
        self.restart = shlex.join(map(str, words))
        self.health = f"http://127.0.0.1:{self.port}/healthz"

    @property
    def words(self):
        return ["--restart", self.restart, "--health", self.health]

    def start(self):
        subprocess.run(shlex.split(self.restart), check=True)
        soon(self.is_healthy)

    def is_healthy(self):
        try:
            with urllib.request.urlopen(self.health, timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def pid(self):
        return int((self.folder / "pid").read_text())

    def stop(self):
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            os.killpg(self.pid(), signal.SIGKILL)


@pytest.fixture
def service(board, variants, tmp_path):
    assert board.install(variants["first"]).exit_code == 0
    service = Service(tmp_path, "disc")
    service.start()
    yield service
    service.stop()


def test_a_good_update_is_running_afterwards(board, variants, service):
    before = service.pid()
    done = board.install(variants["second"], *service.words, "--watch", "10")
    assert done.exit_code == 0, done.output
    assert board.in_use() == sha256(variants["second"])
    assert service.pid() != before
    assert service.is_healthy()
    steps = [step["step"] for step in read_steps(board.door.journal)]
    assert steps[-5:] == ["switching", "switched", "restarted", "healthy", "kept"]


def test_a_service_that_does_not_start_with_it_gets_the_old_one(
    board, variants, service
):
    """The new model has no class `disc`, which the service asks for."""
    words = [*service.words, "--watch", "8", "--least", "0"]
    result = board.install(variants["renamed"], *words)
    assert result.exit_code == 1
    assert "not healthy within 8 s" in result.stderr
    assert "is in use again" in result.stderr
    assert "disc" in service.log.read_text()  # why it did not start
    assert board.in_use() == sha256(variants["first"])
    assert board.door.present() == [sha256(variants["first"])]
    assert read_steps(board.door.journal)[-1]["step"] == "went back"
    soon(service.is_healthy)


def test_a_service_that_ends_later_gets_the_old_one(board, variants, service, tmp_path):
    """It is healthy at first: a command says so three times, and then no more."""
    script = tmp_path / "health.py"
    script.write_text(
        "import os, sys\n"
        f"with open({str(tmp_path / 'asked')!r}, 'a') as file: file.write('x')\n"
        f"sys.exit(os.path.getsize({str(tmp_path / 'asked')!r}) > 3)\n"
    )
    health = shlex.join([sys.executable, str(script)])
    words = ["--restart", service.restart, "--health", health, "--watch", "30"]
    result = board.install(variants["second"], *words)
    assert result.exit_code == 1
    assert "healthy at first" in result.stderr
    assert board.in_use() == sha256(variants["first"])
    soon(service.is_healthy)


def test_a_restart_that_cannot_be(board, variants):
    assert board.install(variants["first"]).exit_code == 0
    result = board.install(variants["second"], "--restart", "/no/such/program")
    assert result.exit_code == 1
    assert "cannot start /no/such/program" in result.stderr
    assert "could not be restarted" in result.stderr
    assert board.in_use() == sha256(variants["first"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_while_it_is_watched_undoes_it(board, variants, tmp_path, number):
    """As when the SSH session ends in which it was called."""
    assert board.install(variants["first"]).exit_code == 0
    log = tmp_path / "started"
    restart = shlex.join([sys.executable, "-c", f"open({str(log)!r}, 'a').write('x')"])
    given = ["--sha256", sha256(variants["second"]), "--name", "door"]
    call = [sys.executable, "-m", "edgeseg", "model", "install", variants["second"]]
    words = [*given, "--pictures", board.pictures, "--restart", restart]
    process = subprocess.Popen(
        list(map(str, [*call, *words, "--watch", 600])),
        stderr=subprocess.DEVNULL,
        # nohup, under which tests may run, lets children ignore it
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    soon(log.exists)
    process.send_signal(number)
    assert process.wait(60) not in (0, -signal.SIGKILL)
    assert log.read_text() == "xx"  # it was started with the old one again
    assert board.in_use() == sha256(variants["first"])
    assert read_steps(board.door.journal)[-1]["step"] == "went back"


def test_going_back_restarts_it_too(board, variants, service):
    assert board.install(variants["second"]).exit_code == 0
    before = service.pid()
    done = board.call("rollback", *service.words, "--watch", "8")
    assert done.exit_code == 0, done.output
    assert service.pid() != before
    assert board.in_use() == sha256(variants["first"])


def test_a_service_of_systemd_that_is_not_there(board, variants):
    assert board.install(variants["first"]).exit_code == 0
    words = ["--service", "edgeseg-nowhere", "--watch", "1"]
    result = board.install(variants["second"], *words)
    assert result.exit_code == 1
    assert "edgeseg-nowhere" in result.stderr
    assert board.in_use() == sha256(variants["first"])


SYSTEMCTL = """
    import sys
    states = {states!r}
    words = sys.argv[1:]
    with open({log!r}, "a") as file:
        file.write(" ".join(words) + "\\n")
    if "show" in words:
        asked = open({log!r}).read().count("show edgeseg")
        state = states[min(asked, len(states)) - 1]
        print("\\n".join(f"{{key}}={{value}}" for key, value in state.items()))
"""
OLD = {"ActiveState": "active", "SubState": "running", "InvocationID": "a"}
START = {"ActiveState": "activating", "SubState": "start", "InvocationID": "b"}
RUNS = {"ActiveState": "active", "SubState": "running", "InvocationID": "b"}
AGAIN = {"ActiveState": "activating", "SubState": "auto-restart", "NRestarts": "1"}


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        # what ran before is still there for a moment, and does not count
        ([OLD, OLD, START, RUNS], ""),
        ([OLD, START, AGAIN], "ended by itself"),
        ([OLD, START], "is activating (start)"),
        ([OLD], "is not started anew yet"),
        ([OLD, RUNS, {**RUNS, "NRestarts": "1", "Result": "signal"}], "signal"),
    ],
)
def test_what_systemd_says_of_a_service(tmp_path, monkeypatch, states, expected):
    script = textwrap.dedent(SYSTEMCTL).format(states=states, log=str(tmp_path / "l"))
    program = tmp_path / "systemctl"
    program.write_text(f"#!{sys.executable}\n{script}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    service = supervisor_of({"service": "edgeseg", "system": True})
    assert supervisor_of(service.to_dict()).to_dict() == service.to_dict()
    service.restart()
    assert "restart --no-block edgeseg.service" in (tmp_path / "l").read_text()
    if not expected:
        watch(service, 2, poll_s=0.01)
        return
    with pytest.raises(UnhealthyError) as error:
        watch(service, 2, poll_s=0.01)
    assert expected in str(error.value)
