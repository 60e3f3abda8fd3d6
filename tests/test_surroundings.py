"""The same result whatever surrounds the process, and one line where it cannot be."""

from __future__ import annotations

import errno
import json
import os
import pty
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from edgeseg.devices import ConversionError, OutputError
from edgeseg.devices.boards import jetson as jetson_file
from edgeseg.devices.linux_files import cache_folder
from edgeseg.devices.quiet import quiet
from edgeseg.runtime.pictures.files import read_picture
from edgeseg.runtime.service.install import Place
from edgeseg.runtime.web.address import WebAddress

CODE = "from edgeseg.runtime.cli import main; main()"
NOBODY = 54321  # a user without a name and a home


def edgeseg(*words, **options):
    options = {"capture_output": True, "encoding": "utf-8", **options}
    return subprocess.run([sys.executable, "-c", CODE, *map(str, words)], **options)


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "shapes.png"
    from edgeseg.runtime import open_source

    with open_source("synthetic:160x120,frames=1,still") as source:
        Image.fromarray(next(iter(source.captures())).frame).save(path)
    return path


def outcome(model, photo, folder, **options):
    """Return what a run writes, without the times."""
    out = ("-o", folder / "over", "-o", f"masks:{folder / 'ids'}", "-o", "-")
    done = edgeseg("run", model, photo, *out, "--legend", **options)
    assert done.returncode == 0, done.stderr
    (line,) = map(json.loads, done.stdout.splitlines())
    kept = {key: line[key] for key in ("name", "height", "width", "classes")}
    pictures = [(folder / kind / "shapes.png").read_bytes() for kind in ("over", "ids")]
    return kept, pictures


@pytest.fixture(scope="module")
def expected(golden_model, photo, tmp_path_factory):
    return outcome(golden_model, photo, tmp_path_factory.mktemp("expected"))


def variables(**values):
    return lambda: {"env": {**os.environ, **values}}


def no_home():
    seen = {k: v for k, v in os.environ.items() if k != "HOME" and k[:4] != "XDG_"}
    return {"env": seen}


def one_core():
    first = min(os.sched_getaffinity(0))
    return {"preexec_fn": lambda: os.sched_setaffinity(0, {first})}


SURROUNDINGS = {
    "locale": variables(LC_ALL="C"),
    "no UTF-8": variables(LC_ALL="POSIX", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"),
    "time zone": variables(TZ="Pacific/Auckland"),
    "narrow terminal": variables(COLUMNS="20", LINES="5", TERM="dumb"),
    "python -O": variables(PYTHONOPTIMIZE="1"),
    "python -OO": variables(PYTHONOPTIMIZE="2"),
    "other hashes": variables(PYTHONHASHSEED="7"),
    "umask": lambda: {"umask": 0o077},
    "no home": no_home,
    "home that is none": variables(HOME="/nonexistent"),
    "another file system": variables(TMPDIR="/dev/shm"),
    "no temporary folder": variables(TMPDIR="/nonexistent"),
    "another folder": lambda: {"cwd": "/"},
    "one core": one_core,
    "no input": lambda: {"preexec_fn": lambda: os.close(0)},
}


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_a_run_gives_the_same(name, expected, golden_model, photo, tmp_path):
    if name == "no UTF-8" and not jetson_file.__file__.isascii():
        # of an editable install, Python reads the path in the locale's encoding
        pytest.skip("edgeseg is installed from a folder whose name is not ASCII")
    options = SURROUNDINGS[name]()
    assert outcome(golden_model, photo, tmp_path, **options) == expected


def test_a_run_gives_the_same_in_any_folder(expected, golden_model, photo, tmp_path):
    folder = tmp_path / "a b 'ü' $HOME"
    assert outcome(golden_model, photo, folder) == expected


def test_the_umask_is_kept(golden_model, photo, tmp_path):
    outcome(golden_model, photo, tmp_path, umask=0o077)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


@pytest.mark.parametrize("closed", [(1,), (2,), (1, 2), (0, 1, 2)])
def test_closed_streams_are_no_matter(closed, golden_model, photo, tmp_path):
    done = edgeseg(
        *("run", golden_model, photo, "-o", tmp_path / "x.png"),
        capture_output=False,
        preexec_fn=lambda: [os.close(number) for number in closed],
    )
    assert done.returncode == 0
    assert read_picture(tmp_path / "x.png").shape == (120, 160, 3)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to become another user")
def test_a_user_without_a_name(golden_model, tmp_path):
    """Nothing but the interpreter and this checkout has to be readable."""
    try:
        probe = [sys.executable, "-c", "import edgeseg.runtime"]
        subprocess.run(probe, user=NOBODY, group=NOBODY, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("another user cannot run this interpreter")
    seen = no_home()["env"]
    for words in (("devices", "--json"), ("check", golden_model, "--device", "coral")):
        done = edgeseg(*words, user=NOBODY, group=NOBODY, env=seen, cwd="/")
        assert (done.returncode, done.stderr) == (0, "")
    done = edgeseg("demo", user=NOBODY, group=NOBODY, env=seen, cwd="/")
    assert done.returncode == 1
    assert done.stderr.endswith("cannot write demo/animals.tflite: Permission denied\n")


def nowhere(self):
    raise RuntimeError("Could not determine home directory.")


def test_no_home_for_a_cache_is_one_line(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "expanduser", nowhere)
    with pytest.raises(OutputError, match="set XDG_CACHE_HOME"):
        cache_folder()


def test_engines_without_a_home_are_built_anew(monkeypatch, caplog):
    monkeypatch.setattr(
        jetson_file, "providers", lambda: ("TensorrtExecutionProvider",)
    )
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "expanduser", nowhere)
    assert "trt_engine_cache_path" not in jetson_file._engine_options()
    assert "built anew each time: this user has no home folder" in caplog.text


def test_no_home_for_a_service_is_one_line(monkeypatch):
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(Path, "home", lambda: nowhere(None))
    with pytest.raises(OutputError, match="take --system"):
        _ = Place("edgeseg", system=False).path


def test_a_system_without_ipv6(monkeypatch):
    pytest.importorskip("uvicorn", reason="needs the extra `web`")
    from edgeseg.runtime.web.listening import listen

    opened = socket.socket

    def without_ipv6(family=socket.AF_INET, *more):
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
        return opened(family, *more)

    monkeypatch.setattr(socket, "socket", without_ipv6)
    with pytest.raises(OutputError, match="this system has no IPv6"):
        listen(WebAddress("::1", 0))
    listen(WebAddress("127.0.0.1", 0)).close()


def test_no_shared_memory_is_one_line(golden_model, photo, tmp_path, monkeypatch):
    from edgeseg.runtime.output import shared_frames
    from edgeseg.runtime.output.open import open_sink
    from edgeseg.runtime.output.sink import Style

    monkeypatch.setattr(shared_frames, "_FOLDER", tmp_path / "none")
    from edgeseg.runtime import Manifest

    with pytest.raises(OutputError, match="cannot share frames"):
        open_sink("shared:x", Style(Manifest()))


def test_holding_back_output_needs_no_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with quiet() as chatter:
        os.write(2, b"noise\n")
    assert chatter.text == "noise\n"


def test_a_python_that_cannot_start_is_one_line(tmp_path, monkeypatch):
    from edgeseg.converter.isolation.child import run_isolated

    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(ConversionError, match="cannot be started with"):
        run_isolated(
            "x:y",
            {},
            progress=print,
            timeout_s=1,
            memory_bytes=10**9,
            folder=tmp_path,
        )


def test_progress_stays_on_one_line_of_a_narrow_terminal(tmp_path):
    code = (
        "from edgeseg.runtime.terminal.progress import OverwrittenLine\n"
        "OverwrittenLine().write('a picture with a long name.jpg' * 3)"
    )
    ours, theirs = pty.openpty()
    seen = {**os.environ, "COLUMNS": "20"}
    subprocess.run([sys.executable, "-c", code], stderr=theirs, env=seen, check=True)
    os.close(theirs)
    assert os.read(ours, 1000) == b"\r\x1b[K" + b"a picture with a lo"
    os.close(ours)


def test_keras_takes_and_leaves_nothing_at_home(tmp_path):
    pytest.importorskip("keras", reason="needs the extra `convert`")
    settings = tmp_path / ".keras" / "keras.json"
    settings.parent.mkdir()
    settings.write_text('{"floatx": "float16", "image_data_format": "channels_first"}')
    code = (
        "from edgeseg.converter.frameworks import need; keras = need('keras')\n"
        "print(keras.config.floatx(), keras.config.image_data_format())"
    )
    seen = {k: v for k, v in os.environ.items() if k != "KERAS_HOME"}
    call, seen = [sys.executable, "-c", code], {**seen, "HOME": str(tmp_path)}
    done = subprocess.run(call, env=seen, capture_output=True, encoding="utf-8")
    assert done.stdout == "float32 channels_last\n", done.stderr
    settings.unlink()
    subprocess.run(call, env=seen, capture_output=True, check=True)
    assert not list(settings.parent.iterdir())
