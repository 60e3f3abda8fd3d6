"""Real child processes: their results, their errors, and every way to die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from edgeseg.converter.isolation.child import run_isolated
from edgeseg.converter.isolation.folder import temporary_folder
from edgeseg.devices import (
    ConversionError,
    EdgesegError,
    InputError,
    ModelError,
    OutputError,
)

GB = 10**9

JOBS = """
import ctypes, os, subprocess, sys, time
from edgeseg.devices import InputError, ModelError, OutputError


def echo(job, progress):
    print("printed on standard output")
    os.write(2, b'{"result": "not this"}\\n')
    progress("half way")
    progress("nearly \\u00fcber")
    return job


def large(job, progress):
    return {"text": "x" * job["size"]}


def refuse(job, progress):
    kind = {"input": InputError, "model": ModelError, "output": OutputError}
    raise kind[job["kind"]]("expected that, got this")


def refuse_finely(job, progress):
    class FineError(ModelError):
        pass

    raise FineError("finer than the parent knows")


def fail(job, progress):
    print("before")
    raise ZeroDivisionError("no such thing")


def segfault(job, progress):
    print("F0001 tensor.cc:12] Check failed: dims == 4", file=sys.stderr)
    ctypes.string_at(0)


def fail_with_a_listing(job, progress):
    raise ValueError("operator Foo is not known; allow it:\\n```\\nallow = 1\\n```")


def end(job, progress):
    os._exit(job["code"])


def kill(job, progress):
    os.kill(os.getpid(), 9)


def sleep(job, progress):
    print("at operator 17")
    started = subprocess.Popen(["sleep", "60"])
    progress(f"{os.getpid()} {started.pid}")
    time.sleep(60)


def sleep_in_native_code(job, progress):
    progress(f"{os.getpid()} {os.getpid()}")
    ctypes.PyDLL(None).sleep(60)  # the interpreter stays locked


def grow(job, progress):
    held = bytearray(job["bytes"])
    held[::4096] = b"x" * len(held[::4096])
    time.sleep(job["seconds"])
    return {}


def grow_in_child(job, progress):
    code = "import time; held = b'x' * %d; time.sleep(60)" % job["bytes"]
    subprocess.run([sys.executable, "-c", code])
    return {}


def start_an_odd_name(job, progress):
    import shutil
    program = os.environ["TMPDIR"].encode() + b"/caf\\xe9"
    shutil.copy(shutil.which("sleep"), program)
    with subprocess.Popen([program, "60"]) as started:
        time.sleep(0.5)
        started.kill()
    return {}


def leave_a_child(job, progress):
    started = subprocess.Popen(["sleep", "60"], start_new_session=False)
    return {"pid": started.pid}


def fill(job, progress):
    with open(os.path.join(os.environ["TMPDIR"], "much"), "wb") as file:
        file.write(b"x" * 100_000)
    raise AssertionError("there was room")


def fill_and_refuse(job, progress):
    try:
        fill(job, progress)
    except OSError:
        raise ModelError("'NoneType' object is not callable")


def fill_elsewhere(job, progress):
    from edgeseg.runtime.pictures.atomic import write_bytes
    from pathlib import Path

    write_bytes(Path(job["path"]), b"x" * 100_000)


def temporary(job, progress):
    import tempfile

    return {"folder": tempfile.mkdtemp()}


def unsayable(job, progress):
    return {"set": {1, 2}}
"""


@pytest.fixture(autouse=True)
def jobs(tmp_path, monkeypatch):
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "child_jobs.py").write_text(JOBS)
    monkeypatch.setenv("PYTHONPATH", str(folder))


@pytest.fixture
def work(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def run(work):
    def call(name, progress=lambda line: None, timeout_s=30.0, memory=GB, **job):
        return run_isolated(
            f"child_jobs:{name}",
            job,
            progress=progress,
            timeout_s=timeout_s,
            memory_bytes=memory,
            folder=work,
        )

    return call


def is_alive(pid):
    """Tell whether a process runs; one that has ended and was not waited for does not.

    Who is left without a parent is waited for by the system, when it likes.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def assert_ends(pid, within_s=5.0):
    deadline = time.monotonic() + within_s
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(pid)


def test_result_progress_and_log_do_not_mix(run, work):
    lines = []
    result = run("echo", progress=lines.append, number=1.5, names=["ä"])
    assert (result["number"], result["names"]) == (1.5, ["ä"])
    assert lines == ["half way", "nearly über"]
    log = (work / "log.txt").read_text()
    assert log == 'printed on standard output\n{"result": "not this"}\n'
    assert 0 < result["seconds"] < 30
    assert sorted(path.name for path in work.iterdir()) == ["job.json", "log.txt"]


def test_a_result_of_megabytes(run):
    assert len(run("large", size=5_000_000)["text"]) == 5_000_000


@pytest.mark.parametrize(
    ("kind", "error"),
    [("input", InputError), ("model", ModelError), ("output", OutputError)],
)
def test_own_errors_come_back_as_they_were(run, kind, error):
    with pytest.raises(error) as raised:
        run("refuse", kind=kind)
    assert type(raised.value) is error
    assert str(raised.value) == "expected that, got this"


def test_an_error_of_a_class_that_only_the_child_knows(run):
    with pytest.raises(ModelError, match="finer than the parent knows"):
        run("refuse_finely")


@pytest.mark.parametrize(
    ("name", "job", "words"),
    [
        ("fail", {}, r"failed \(exit status 1\): ZeroDivisionError: no such thing"),
        ("fail_with_a_listing", {}, r": ValueError: operator Foo .* allow = 1$"),
        ("segfault", {}, r"killed by signal 11 \(SIGSEGV\): F0001 .*Check failed"),
        ("kill", {}, r"killed by signal 9 \(SIGKILL; out of memory\?\)"),
        ("end", {"code": 3}, r"failed \(exit status 3\)"),
        ("end", {"code": 0}, "ended without a result"),
        ("unsayable", {}, "TypeError.*not JSON serializable"),
        ("nowhere", {}, "AttributeError.*nowhere"),
    ],
)
def test_every_other_end_is_one_line(run, name, job, words):
    with pytest.raises(ConversionError, match=words) as raised:
        run(name, **job)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400


@pytest.fixture
def full_temporary(full_disk, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(full_disk))
    return full_disk


@pytest.mark.parametrize("job", ["fill", "fill_and_refuse"])
def test_a_child_on_a_full_disk_says_so(job, full_temporary):
    with (
        pytest.raises(EdgesegError, match=r"no space .* folder .*full: set TMPDIR"),
        temporary_folder() as folder,
    ):
        run_isolated(
            f"child_jobs:{job}",
            {},
            progress=lambda line: None,
            timeout_s=30,
            memory_bytes=GB,
            folder=folder,
        )
    assert not list(full_temporary.iterdir())


def test_a_full_disk_elsewhere_is_not_the_temporary_folders(run, full_disk):
    path = full_disk / "out"
    with pytest.raises(OutputError) as raised:
        run("fill_elsewhere", path=str(path))
    assert str(raised.value) == f"cannot write {path}: No space left on device"


def test_a_killed_process_folder_is_removed_by_the_next(tmp_path):
    code = """
from edgeseg.converter.isolation.folder import temporary_folder
import os, signal
with temporary_folder() as folder:
    (folder / "much").mkdir()
    (folder / "much" / "more").write_bytes(b"x" * 1000)
    os.kill(os.getpid(), signal.%s)
"""
    place = tmp_path / "temporary"
    surroundings = os.environ | {"TMPDIR": str(place)}
    strange = place / "edgeseg-work-notes"
    strange.mkdir(parents=True)

    def process(name, **options):
        command = [sys.executable, "-c", code % name]
        return subprocess.Popen(command, env=surroundings, **options)

    with process("SIGSTOP") as living:
        try:
            os.waitpid(living.pid, os.WUNTRACED)
            (held,) = set(place.iterdir()) - {strange}
            assert process("SIGKILL").wait() == -signal.SIGKILL
            assert len(list(place.iterdir())) == 3
            assert process("SIGCONT").wait() == 0
            assert set(place.iterdir()) == {strange, held}
        finally:
            living.send_signal(signal.SIGCONT)
    assert list(place.iterdir()) == [strange]


def test_a_full_temporary_folder_is_one_line(full_temporary):
    with (
        pytest.raises(OutputError, match=r"no space .* folder .*full: set TMPDIR"),
        temporary_folder() as folder,
    ):
        (folder / "much").write_bytes(b"x" * 100_000)
    assert not list(full_temporary.iterdir())


def test_no_temporary_folder_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(OutputError, match=r"No such file .* set TMPDIR"):
        temporary_folder().__enter__()


def test_the_time_limit_ends_the_child_and_its_children(run):
    told = []
    start = time.monotonic()
    with pytest.raises(ConversionError, match=r"time limit of 2 s: at operator 17"):
        run("sleep", progress=told.append, timeout_s=2)
    assert time.monotonic() - start < 10
    for pid in told[0].split():
        assert_ends(int(pid))


def test_the_memory_limit(run):
    with pytest.raises(ConversionError, match=r"memory limit of 0\.2 GB"):
        run("grow", bytes=400_000_000, seconds=60, memory=200_000_000)


def test_memory_of_grandchildren_counts(run):
    with pytest.raises(ConversionError, match="memory limit"):
        run("grow_in_child", bytes=400_000_000, memory=300_000_000)


def test_the_peak_is_that_of_the_child_alone(run):
    held = bytearray(300_000_000)
    held[::4096] = b"x" * len(held[::4096])
    small = run("grow", bytes=1, seconds=0)["peak_bytes"]
    large = run("grow", bytes=150_000_000, seconds=0)["peak_bytes"]
    assert 5_000_000 < small < 200_000_000
    assert 140_000_000 < large - small < 160_000_000


def test_what_the_child_started_ends_with_it(run):
    assert_ends(run("leave_a_child")["pid"])


def test_a_process_whose_name_is_no_utf_8(run):
    assert run("start_an_odd_name")["peak_bytes"] > 0


def test_temporary_files_are_made_in_the_callers_folder(run, work):
    assert Path(run("temporary")["folder"]).parent == work


def test_an_interrupt_of_the_parent_ends_the_child(run):
    told = []

    def interrupt(line):
        told.extend(map(int, line.split()))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("sleep", progress=interrupt)
    assert not is_alive(told[0])
    assert_ends(told[1])


@pytest.mark.parametrize("job", ["sleep", "sleep_in_native_code"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_the_parent(work, job, number):
    code = f"""
        from pathlib import Path
        from edgeseg.converter.isolation.child import run_isolated
        run_isolated("child_jobs:{job}", {{}}, timeout_s=60, memory_bytes=10**9,
                     progress=lambda line: print(line, flush=True),
                     folder=Path({str(work)!r}))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child, grandchild = map(int, parent.stdout.readline().split())
        assert is_alive(child)
        os.kill(parent.pid, number)
    assert_ends(child)
    assert_ends(grandchild)


def children():
    def parent(pid):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return None
        return int(stat.rpartition(")")[2].split()[1])

    pids = filter(str.isdigit, os.listdir("/proc"))
    return {pid for pid in pids if parent(pid) == os.getpid()}


def test_no_descriptor_and_no_zombie_is_left(run):
    before = len(os.listdir("/proc/self/fd")), children()
    run("echo")
    with pytest.raises(ConversionError):
        run("kill")
    assert (len(os.listdir("/proc/self/fd")), children()) == before
