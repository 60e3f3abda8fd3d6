"""Names that are no UTF-8, locales that are none: the same valid JSON, no traceback."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import edgeseg.runtime
from edgeseg.devices import InputError
from edgeseg.runtime import Capture, Manifest, Segmentation, Style
from edgeseg.runtime.accuracy.dataset import fingerprint
from edgeseg.runtime.capture.opencv import opencv_name, quiet_opencv
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.output.mqtt_address import parse_address
from edgeseg.runtime.output.open import open_sink
from edgeseg.runtime.pictures.atomic import write_text
from edgeseg.runtime.service.unit import ServiceUnit
from edgeseg.runtime.terminal.console import show_any_text

MAIN = [sys.executable, "-c", "from edgeseg.runtime.cli import main; main()"]
UTF8, LATIN, NEITHER = "für".encode(), b"caf\xe9", b"\xc3\xbc\xff"
SHOWN = {UTF8: "für", LATIN: "caf\\xe9", NEITHER: "ü\\xff"}


@pytest.fixture(scope="session")
def latin_1(tmp_path_factory):
    """A folder with a locale whose encoding is ISO 8859-1."""
    folder = tmp_path_factory.mktemp("locales")
    make = ["localedef", "-i", "de_DE", "-f", "ISO-8859-1", folder / "de_DE.ISO-8859-1"]
    if shutil.which("localedef") is None or subprocess.run(
        make, capture_output=True
    ).returncode not in (0, 1):  # 1: with warnings
        pytest.skip("needs localedef and the sources of locales")
    return folder


def need_importable():
    """Skip where Python itself finds no package in such a locale."""
    if not edgeseg.runtime.__file__.isascii():
        # of an editable install, it reads the path in the locale's encoding
        pytest.skip("edgeseg is installed from a folder whose name is not ASCII")


@pytest.fixture(params=["UTF-8", "C", "ASCII", "Latin 1"])
def seen(request):
    """The environment of a process in another locale."""
    if request.param in ("ASCII", "Latin 1"):
        need_importable()
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LC_", "LANG", "PYTHONUTF8", "PYTHONIO"))
    }
    locale = {
        "UTF-8": {"LC_ALL": "C.UTF-8"},
        "C": {"LC_ALL": "C"},
        "ASCII": {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        "Latin 1": {"LC_ALL": "de_DE.ISO-8859-1", "PYTHONUTF8": "0"},
    }[request.param]
    if request.param == "Latin 1":
        locale["LOCPATH"] = str(request.getfixturevalue("latin_1"))
    return {**kept, **locale}


def in_locale(seen, *arguments):
    return subprocess.run([*MAIN, *arguments], env=seen, capture_output=True)


def shown_in(seen, name):
    """Return how a name is told: a locale of one byte a character reads every name."""
    return name.decode("latin-1") if "LOCPATH" in seen else SHOWN[name]


def objects(content):
    """Return the JSON objects of some lines, which no strict reader refuses."""
    found = [json.loads(line) for line in content.decode("ascii").splitlines()]
    json.dumps(found, ensure_ascii=False).encode("utf-8")
    return found


@pytest.mark.long
def test_names_in_machine_readable_output(seen, golden_model, tmp_path):
    folder, out = os.fsencode(tmp_path / "in"), os.fsencode(tmp_path) + b"/" + NEITHER
    os.mkdir(folder)
    for name in SHOWN:
        photo = golden_model.parent / "demo.jpg"
        shutil.copy(photo, os.fsdecode(folder + b"/" + name + b".jpg"))
    model, lines = out + b".tflite", out + b".jsonl"
    shutil.copy(golden_model, os.fsdecode(model))
    outputs = ("-o", "-", "-o", lines, "-o", out, "-o", b"masks:" + out + b"/ids")
    done = in_locale(seen, "run", model, folder, *outputs)
    assert done.returncode == 0, done.stderr
    expected = {shown_in(seen, name) for name in SHOWN}
    with open(lines, "rb") as file:
        for content in (done.stdout, file.read()):
            assert {line["name"] for line in objects(content)} == expected
    assert set(os.listdir(out)) == {b"ids", *(name + b".png" for name in SHOWN)}
    assert set(os.listdir(out + b"/ids")) == {name + b".png" for name in SHOWN}
    resumed = ("-o", lines, "--skip-existing", "--json")
    again = in_locale(seen, "run", model, folder, *resumed)
    assert json.loads(again.stdout.decode("ascii"))["skipped"] == 3
    told = in_locale(seen, "info", model, "--json").stdout.decode("ascii")
    assert json.loads(told)["file"] == shown_in(seen, NEITHER) + ".tflite"


@pytest.mark.long
@pytest.mark.parametrize("name", SHOWN, ids=SHOWN.get)
def test_names_in_errors(name, seen, tmp_path):
    path = os.fsencode(tmp_path) + b"/" + name + b".tflite"
    done = in_locale(seen, "info", path)
    assert done.returncode == 1
    line = shown_in(seen, name) + ".tflite: No such file or directory\n"
    assert done.stderr.endswith(
        line.encode("latin-1" if "LOCPATH" in seen else "utf-8")
    )


@pytest.mark.long
@pytest.mark.parametrize("name", SHOWN, ids=SHOWN.get)
def test_names_of_videos(name, seen, golden_model, tmp_path):
    """OpenCV takes names in UTF-8 alone, and crashes where one is none."""
    video = os.fsencode(tmp_path) + b"/" + name + b".avi"
    made = in_locale(seen, "run", golden_model, "synthetic:64x48,frames=3", "-o", video)
    assert made.returncode == 0, made.stderr
    assert os.listdir(os.fsencode(tmp_path)) == [name + b".avi"]
    done = in_locale(seen, "run", golden_model, video, "-o", "-")
    assert done.returncode == 0, done.stderr
    names = [line["name"] for line in objects(done.stdout)]
    assert names == [f"{shown_in(seen, name)}_{i:06d}" for i in range(3)]


def test_text_is_shown_in_any_encoding(seen, golden_model, tmp_path):
    labels = tmp_path / "labels.txt"
    labels.write_text("background\nžába \N{FROG FACE}\nb\nc\n", "utf-8")
    done = in_locale(seen, "info", golden_model, "--labels", labels)
    assert done.returncode == 0, done.stderr
    shown = b"\\u017e\xe1ba \\U0001f438" if "LOCPATH" in seen else "žába 🐸".encode()
    assert b"labels: background, " + shown + b", b, c" in done.stdout


@given(st.recursive(st.text() | st.floats() | st.none(), st.lists))
def test_all_text_and_all_numbers_become_json(values):
    text = json_text({"values": values})
    strict = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    json.dumps(strict, ensure_ascii=False).encode("utf-8")
    assert text.isascii()


def test_json_is_as_it_was_where_nothing_is_odd():
    values = {"b": [1, 0.5, None, True, "ü \N{FROG FACE}"], "a": {2: "x"}}
    assert json.loads(json_text(values)) == json.loads(json.dumps(values))
    assert json_text(values, indent=2, sort_keys=False) == json.dumps(values, indent=2)


@given(st.text(st.characters(), max_size=20))
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "cp437"])
def test_output_of_any_encoding(encoding, text):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    kept = sys.stdout
    try:
        sys.stdout = stream
        show_any_text()
        print(text)
        stream.flush()
    finally:
        sys.stdout = kept
    assert stream.buffer.getvalue()


def test_a_text_file_is_utf_8(tmp_path):
    write_text(tmp_path / "a.txt", "ü caf\udce9\ud83d")
    assert (tmp_path / "a.txt").read_text("utf-8") == "ü caf\\xe9\\ud83d"


def test_labels_are_whole_characters():
    manifest = Manifest.from_json(
        '{"version": 1, "labels": ["a", "\\ud83d", "\\udce9"]}'
    )
    assert manifest.labels == ("a", "\\ud83d", "\\xe9")
    manifest.to_json().encode("utf-8")


def test_provenance_is_json():
    manifest = Manifest.from_json(
        '{"version": 1, "provenance": {"source": "caf\\udce9.h5", "loss": NaN}}'
    )
    told = json.loads(manifest.to_json())
    assert told["provenance"] == {"source": "caf\\xe9.h5", "loss": None}


def test_a_name_on_the_page():
    pytest.importorskip("starlette", reason="needs the extra `web`")
    from edgeseg.runtime.web.app import Pages

    request = SimpleNamespace(state=SimpleNamespace(role="viewer"))
    pages = Pages.__new__(Pages)
    pages._state = lambda: {"frame": {"name": "caf\udce9_000001"}}
    answer = asyncio.run(pages.state(request))
    assert json.loads(answer.body)["frame"] == {"name": "caf\\xe9_000001"}
    assert answer.headers["content-type"] == "application/json"


def test_an_address_in_another_locale():
    seen = "mqtt://broker/küche".encode().decode("ascii", "surrogateescape")
    assert parse_address(seen, "mqtt://HOST").path == "küche"


def test_a_unit_names_its_files_in_utf_8(tmp_path):
    seen = os.fsdecode(os.fsencode(tmp_path) + "/für.toml".encode())
    assert "für.toml" in ServiceUnit(("/usr/bin/edgeseg",), type(tmp_path)(seen)).text()
    with pytest.raises(InputError, match="UTF-8 alone"):
        ServiceUnit(
            ("/usr/bin/edgeseg",), tmp_path / os.fsdecode(b"caf\xe9.toml")
        ).text()


def test_opencv_gets_a_name_that_it_takes(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.avi")
    with opencv_name(path) as name:
        name.encode("utf-8")
        writer = quiet_opencv().VideoWriter(name, 0, 10.0, (64, 48))
        writer.write(np.zeros((48, 64, 3), np.uint8))
        writer.release()
    assert os.listdir(os.fsencode(tmp_path)) == [b"caf\xe9.avi"]
    with opencv_name(tmp_path / "café.avi") as name:
        assert name == str(tmp_path / "café.avi")


def test_a_link_that_cannot_be_made_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(InputError, match="no link to it can be made"):
        opencv_name(tmp_path / os.fsdecode(b"caf\xe9.avi")).__enter__()


def test_a_path_of_json_lines_may_be_odd(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.jsonl")
    style = Style(Manifest(labels=("background",)))
    capture = Capture(np.zeros((4, 4, 3), np.uint8), "a", 0.0)
    with open_sink(str(path), style) as sink:
        sink.write(capture, Segmentation(np.zeros((4, 4), np.uint8), (), {}))
    assert json.loads(path.read_text("utf-8"))["name"] == "a"


@pytest.mark.long
def test_a_data_set_with_odd_names(seen, golden_model, tmp_path):
    """A journal, a reference and a record hold names; the masks' are the pictures'."""
    data = tmp_path / "data"
    for folder in ("images", "masks"):
        (data / folder).mkdir(parents=True)
    (data / "labels.txt").write_text("background\ndisc\nsquare\ntriangle\n")
    photo = Image.fromarray(np.zeros((48, 64, 3), np.uint8))
    for name in map(os.fsdecode, SHOWN):
        photo.save(data / "images" / f"{name}.png")
        photo.convert("L").save(data / "masks" / f"{name}.png")
    reference, record = tmp_path / "reference", tmp_path / "record.json"
    made = in_locale(seen, "reference", golden_model, data, "-o", reference)
    assert made.returncode == 0, made.stderr
    pictures = objects((reference / "pictures.jsonl").read_bytes())[1:]
    assert {line["name"] for line in pictures} == {shown_in(seen, n) for n in SHOWN}
    kept = in_locale(seen, "parity", golden_model, reference, "--json")
    assert kept.returncode == 0, kept.stderr
    assert json.loads(kept.stdout)["agreement"] == 1
    done = in_locale(seen, "eval", golden_model, data, "--json", record)
    assert done.returncode == 0, done.stderr
    json.loads(record.read_bytes().decode("ascii"))


def test_the_same_pictures_in_every_locale(tmp_path):
    """A data set's hash is the same where Python could not decode its names."""
    (tmp_path / "a").touch()
    dataset = SimpleNamespace(labels=["a"], picture_path=lambda name: tmp_path / "a")
    dataset.truth_path = dataset.picture_path
    dataset.ids = ["für"]
    whole = fingerprint(dataset)
    dataset.ids = ["für".encode().decode("ascii", "surrogateescape")]
    assert fingerprint(dataset) == whole


def test_a_name_that_the_locale_cannot_write(golden_model, tmp_path):
    need_importable()
    seen = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    config = tmp_path / "run.toml"
    source = "synthetic:64x48,frames=1"
    text = f'model = "{golden_model}"\nsource = "{source}"\noutput = "ü.png"\n'
    config.write_text(text, "utf-8")
    done = in_locale({**os.environ, **seen}, "run", "--config", config)
    assert done.returncode == 1
    assert "PYTHONUTF8=1" in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1
