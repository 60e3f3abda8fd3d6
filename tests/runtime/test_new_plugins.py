"""New source, sink and effect, one file each, used everywhere without another edit."""

from __future__ import annotations

import importlib
import json
import re
import shlex
import sys
import urllib.request

import numpy as np
import pytest
from click.testing import CliRunner

from edgeseg.devices import InputError, UnknownPluginError
from edgeseg.runtime import Manifest, Style, open_sink, open_source
from edgeseg.runtime.capture.contract import check_source
from edgeseg.runtime.cli import main
from edgeseg.runtime.drawing.contract import check_effect
from edgeseg.runtime.drawing.open_effect import open_effect
from edgeseg.runtime.output.contract import check_sink
from edgeseg.runtime.remote import calls, shipping

SOURCE = '''
"""Frames of numpy arrays: ``frame.npy`` or ``arrays:FOLDER``; a lamp is switched on."""

from pathlib import Path

import numpy as np

from edgeseg.devices import InputError
from edgeseg.runtime import Capture, Source
from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.capture.source import AS_IT_COMES


class Arrays(Source):
    """Gives arrays in order of their names."""

    def __init__(self, text, options=AS_IT_COMES):
        path = Path(text)
        self._paths = sorted(path.glob("*.npy")) if path.is_dir() else [path]
        if not self._paths or not self._paths[0].exists():
            raise InputError(f"no arrays in {text}")

    @property
    def count(self):
        return len(self._paths)

    @property
    def fps(self):
        return None

    def names(self):
        return tuple(path.stem for path in self._paths)

    def captures(self, skip=frozenset()):
        for path in self._paths:
            if path.stem not in skip:
                yield Capture(np.load(path), path.stem, 0.0)


ADDRESS = AddressKind(
    Rest.FILE_OR_FOLDER,
    bare=(".npy",),
    inside=(".npy",),
    nodes=("/dev/lamp0",),
    groups=("tty",),
    system_packages=True,
)
PLUGIN = Arrays
'''
SINK = '''
"""Class ids as numpy arrays: ``counts:FOLDER``, or a single ``ids.npz``."""

from pathlib import Path

import numpy as np

from edgeseg.runtime import Sink
from edgeseg.runtime.address import AddressKind, Rest


class Counts(Sink):
    """Writes one file a picture."""

    def __init__(self, text, style):
        self._path = Path(text)

    def has(self, name):
        return False

    def write(self, capture, segmentation):
        single = self._path.suffix == ".npz"
        path = self._path if single else self._path / f"{capture.name}.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, ids=segmentation.ids)


ADDRESS = AddressKind(
    Rest.FILE_OR_FOLDER, bare=(".npz",), inside=(".npz",), extra="video"
)
PLUGIN = Counts
'''
EFFECT = '''
"""The frame darker: ``night_view`` or ``night_view:STRENGTH``."""

from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.drawing.effect import Effect, Strength
from edgeseg.runtime.drawing.open_effect import whole_number


class NightView(Effect):
    """Divides all colours."""

    title = "Night view"
    strength = Strength("Darkness", 1, 8, 2)

    def __init__(self, text=""):
        self._by = whole_number("night_view", text, what="by", within=self.strength)

    def draw(self, scene):
        return scene.frame // self._by


ADDRESS = AddressKind(Rest.TEXT)
PLUGIN = NightView
'''


@pytest.fixture(autouse=True)
def plugins(tmp_path, monkeypatch):
    """Put each file where its package looks for plugins, and nothing else anywhere."""
    files = {
        "sources": ("arrays", SOURCE),
        "sinks": ("counts", SINK),
        "effects": ("night_view", EFFECT),
    }
    for kind, (name, code) in files.items():
        folder = tmp_path / kind
        folder.mkdir()
        (folder / f"{name}.py").write_text(code)
        package = importlib.import_module(f"edgeseg.runtime.{kind}")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
        monkeypatch.delitem(sys.modules, f"{package.__name__}.{name}", raising=False)
        monkeypatch.delattr(package, name, raising=False)


@pytest.fixture
def place(tmp_path):
    """A folder with two arrays, and the model."""
    place = tmp_path / "place"
    (place / "in").mkdir(parents=True)
    for name in "ab":
        np.save(place / "in" / f"{name}.npy", np.zeros((48, 64, 3), np.uint8))
    return place


def edgeseg(*words):
    told = CliRunner().invoke(main, [str(word) for word in words])
    assert told.exit_code == 0, told.output
    return told.output


def written(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.npz"))


def test_they_keep_the_contracts(place):
    check_source(open_source(f"arrays:{place / 'in'}"))
    check_sink(open_sink(f"counts:{place / 'out'}", Style(Manifest())))


def test_the_page_offers_and_sets_the_effect():
    pytest.importorskip("uvicorn", reason="needs the extra `web`")
    check_effect(open_effect("night_view:8"))
    with open_sink("web:127.0.0.1:0", Style(Manifest())) as sink:
        with urllib.request.urlopen(f"{sink.url}api/state") as answer:
            controls = json.load(answer)["effect_controls"]["night_view"]
        body, kind = b'{"effect": "night_view:3"}', {"content-type": "application/json"}
        change = urllib.request.Request(f"{sink.url}api/look", body, kind)
        with urllib.request.urlopen(change) as answer:
            assert json.load(answer)["effect"] == "night_view:3"
    assert controls == {
        "title": "Night view",
        "strength": {"label": "Darkness", "low": 1, "high": 8, "default": 2},
        "takes_colour": False,
        "takes_file": False,
        "tints": False,
    }


def test_misspelt_names_of_them_are_suggested():
    with pytest.raises(InputError, match=r"did you mean 'arrays:clip.npy'"):
        open_source("arrayz:clip.npy")
    with pytest.raises(UnknownPluginError, match="did you mean 'counts:out'"):
        open_sink("count:out", Style(Manifest()))


def test_run_opens_them_by_name_and_by_suffix(place, golden_model):
    edgeseg("run", golden_model, f"arrays:{place / 'in'}", "-o", f"counts:{place}/out")
    edgeseg("run", golden_model, place / "in" / "a.npy", "-o", place / "one.npz")
    assert written(place) == ["one.npz", "out/a.npz", "out/b.npz"]


@pytest.fixture
def config(place, golden_model):
    path = place / "run.toml"
    path.write_text(
        f"model = {str(golden_model)!r}\nsource = 'arrays:in'\n"
        "output = ['counts:out/', 'more/one.npz']\n"
    )
    return path


def test_a_configuration_takes_paths_beside_itself(place, config):
    edgeseg("run", "--config", config)
    assert written(place) == ["more/one.npz", "out/a.npz", "out/b.npz"]


def test_a_service_may_open_and_write_what_they_say(place, config, monkeypatch):
    name = "edgeseg.runtime.service.install._user"
    monkeypatch.setattr(name, lambda system, run_as: "somebody")
    unit = edgeseg("service", "install", config, "--print", "--system")
    assert "DeviceAllow=/dev/lamp0 rw" in unit.splitlines()
    (writable,) = re.findall("^ReadWritePaths=(.*)$", unit, re.MULTILINE)
    assert shlex.split(writable) == [str(place / "more"), str(place / "out")]
    (groups,) = re.findall("^SupplementaryGroups=(.*)$", unit, re.MULTILINE)
    assert "tty" in groups.split()


def test_remote_run_copies_and_brings_what_they_say(
    place, golden_model, tmp_path, monkeypatch
):
    """The plan: what goes there, what the board is told, what comes back."""
    sent, kept = [], {}

    class Session:
        def __init__(self, *_, **__):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    def ship(session, blobs):
        sent.append(sorted(blobs))
        return f"/there/{len(sent)}"

    def run(session, wanted, prepare):
        kept.update(wanted=wanted, call=prepare())
        return 0

    monkeypatch.setattr(shipping, "ship_tree", ship)
    monkeypatch.setattr("edgeseg.runtime.remote.session.Session", Session)
    monkeypatch.setattr("edgeseg.runtime.remote.steps.run_attached", run)
    (place / "in" / "notes.txt").touch()  # is no frame: it stays here
    outputs = ("-o", f"counts:{tmp_path}/new/", "-o", "one.npz")
    source = f"arrays:{place / 'in'}"
    edgeseg("remote", "board", "run", golden_model, source, *outputs)
    call = kept["call"]
    assert isinstance(call, calls.RemoteCall)
    assert sent == [[golden_model.name], ["in/a.npy", "in/b.npy"]]
    there = f"counts:{str(tmp_path)[1:]}/new/"
    assert call.arguments == [
        "run",
        f"/there/1/{golden_model.name}",
        "arrays:/there/2/in",
        f"--output={there}",
        "--output=one.npz",
    ]
    suffixes = {str(output.here): output.suffix for output in call.wanted}
    assert suffixes == {f"{tmp_path}/new": (".npz",), "one.npz": None}
    assert kept["wanted"].extras == ("video",)
    assert kept["wanted"].system
