"""The grammar of sources, sinks and effects, and that nobody else knows their names."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys

import numpy as np
import pytest

from edgeseg.devices import EdgesegError, InputError
from edgeseg.runtime.address import AddressBook, AddressKind, Rest
from edgeseg.runtime.capture.open import SOURCE_ADDRESSES, find_source, open_source
from edgeseg.runtime.commands.config import load_config
from edgeseg.runtime.commands.run import run
from edgeseg.runtime.drawing.open_effect import EFFECT_ADDRESSES
from edgeseg.runtime.output.open import SINK_ADDRESSES, find_sink
from edgeseg.runtime.pictures.files import write_picture

BOOKS = (SOURCE_ADDRESSES, SINK_ADDRESSES, EFFECT_ADDRESSES)
PLUGINS = [(book, name) for book in BOOKS for name in book.plugins.names()]
IDS = [f"{book.plugins.kind}-{name}" for book, name in PLUGINS]
# What opens, plans or copies by an address, without a plugin's name in it.
BLIND = (
    "runtime/address.py",
    "runtime/capture/open.py",
    "runtime/output/open.py",
    "runtime/drawing/open_effect.py",
    "runtime/commands/config.py",
    "runtime/commands/remote.py",
    "runtime/commands/run.py",
    "runtime/commands/service.py",
    "runtime/service/install.py",
    "runtime/service/unit.py",
    "runtime/remote/calls.py",
    "runtime/remote/landing.py",
    "runtime/remote/shipping.py",
)
OTHER_MEANING = {
    ("runtime/service/install.py", "video"),  # a group of Unix
    ("runtime/commands/remote.py", "web"),  # the option --web
}


@pytest.mark.parametrize(("book", "name"), PLUGINS, ids=IDS)
def test_a_plugin_declares_its_address_where_it_is_read_unimported(book, name):
    """What is read in the source is what an import gives."""
    read = "from edgeseg.runtime.address import _read; import sys\n"
    module = f"{book.plugins.package}.{name}"
    code = f"{read}print(repr(_read({module!r})), {module!r} in sys.modules)"
    printed = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert printed == f"{importlib.import_module(module).ADDRESS!r} False\n"


def texts(path):
    tree = ast.parse(path.read_text("utf-8"))
    shown = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in shown:  # docstrings are for people
            yield node.value


def named(path):
    names = {name for _, name in PLUGINS}
    return {
        text for text in texts(path) if text in names or text.removesuffix(":") in names
    }


def test_no_other_module_knows_a_plugin_by_name(root):
    found = set()
    for place in BLIND:
        found |= {(place, text) for text in named(root / place)}
    assert found == OTHER_MEANING


def test_a_name_in_a_module_would_be_seen(tmp_path):
    path = tmp_path / "module.py"
    path.write_text('"""masks"""\nif name == "masks" or text.startswith("rtsp:"): ...')
    assert named(path) == {"masks", "rtsp:"}


@pytest.mark.parametrize(
    ("text", "plugin", "rest", "path"),
    [
        ("camera:0", "camera", "0", None),
        ("camera", "camera", "", None),
        ("v4l2:/dev/video0,fourcc=MJPG", "v4l2", "/dev/video0,fourcc=MJPG", None),
        ("https://host/a?b", "http", "https://host/a?b", None),
        ("rtsps:host/a", "rtsp", "rtsps://host/a", None),
        ("folder:a,b", "folder", "a,b", "a,b"),
        ("pan:a/,frames=3", "pan", "a/,frames=3", "a/"),
        ("pan:a,b/c,frames=3", "pan", "a,b/c,frames=3", "a,b/c"),
        ("pan:a,b=1/c", "pan", "a,b=1/c", "a,b=1/c"),
        ("pan:a,b", "pan", "a,b", "a,b"),
        ("pan:x,frames=1,frames=2", "pan", "x,frames=1,frames=2", "x"),
        ("pan:there,frames=3", "pan", "there,frames=3", "there,frames=3"),
        ("*.jpg", "folder", "*.jpg", "*.jpg"),
        ("here.JPG", "image", "here.JPG", "here.JPG"),
        ("here", "video", "here", "here"),
        ("camera.", "folder", "camera.", "camera."),
    ],
)
def test_what_a_source_string_names(text, plugin, rest, path, tmp_path):
    for name in ("camera.", "there,frames=3"):
        (tmp_path / name).mkdir()
    for name in ("here.JPG", "here"):
        (tmp_path / name).touch()
    address = find_source(text, tmp_path)
    assert (address.plugin, address.rest, address.path) == (plugin, rest, path)


def test_flags_and_options_are_taken_from_the_end():
    kind = AddressKind(Rest.FILE, options=",", flags=("live",))
    assert kind.split("a,live/b,live,rate=5") == ("a,live/b", ["live", "rate=5"])
    assert kind.split("live,b") == ("live,b", [])
    assert AddressKind(Rest.FILE).split("a,rate=5") == ("a,rate=5", [])


def test_a_configuration_in_a_folder_with_a_comma(tmp_path):
    """Its paths are made absolute, and then hold the character of options."""
    place = tmp_path / "a,b"
    (place / "photos").mkdir(parents=True)
    write_picture(place / "photos" / "one.png", np.zeros((64, 64, 3), np.uint8))
    path = place / "run.toml"
    path.write_text('source = "pan:photos,frames=2"\n')
    source = load_config(path, run)["source"]
    assert source == f"pan:{place}/photos,frames=2"
    with open_source(source) as opened:
        assert opened.names() == ("one_000000", "one_000001")
    with pytest.raises(InputError, match=r"no such picture.*after the path is frames"):
        open_source(f"pan:{place}/photos,fast")


@pytest.mark.parametrize("text", ["nothing", "gopher://host", "a:b"])
def test_what_names_no_source(text, tmp_path):
    assert find_source(text, tmp_path) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mask:abc", "did you mean 'masks:abc'? (for a path of that name write ./mask"),
        ("cvs:abc.csv", "unknown sink in 'cvs:abc.csv'; known: command, events, "),
        ("nix:a/b.png", "(for a path of that name write ./nix:a/b.png)"),
        ("mqt://host", "; did you mean 'mqtt://host'?"),
    ],
)
def test_a_misspelt_sink_is_refused_and_makes_no_folder(text, words, tmp_path):
    with pytest.raises(EdgesegError) as raised:
        find_sink(text, tmp_path)
    assert words in str(raised.value)


def test_a_path_with_a_colon_is_one_where_it_exists_or_says_so(tmp_path):
    assert find_sink("./mask:abc", tmp_path).path == "./mask:abc"
    assert find_sink("12:30.mp4", tmp_path).path == "12:30.mp4"  # no name
    (tmp_path / "mask:abc").mkdir()
    (tmp_path / "shot:1.png").touch()
    for text in ("mask:abc", "mask:abc/new.png", "shot:1.png"):
        assert find_sink(text, tmp_path).path == text
    assert find_source("shot:*.png", tmp_path).path == "shot:*.png"
    assert find_source("shots:*.png", tmp_path) is None


@pytest.mark.parametrize(
    ("text", "suggested"),
    [("pann:photos", "pan:photos"), ("rtspz://host/a", "rtsp")],
)
def test_a_misspelt_source_is_suggested(text, suggested):
    with pytest.raises(InputError, match=f"no such file.*did you mean '{suggested}"):
        open_source(text)


def test_a_misspelt_name_in_a_configuration_is_no_path_beside_it(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("source = 'pann:photos'\noutput = ['mask:abc', './mask:abc']\n")
    values = load_config(path, run)
    assert values["source"] == "pann:photos"
    assert values["outputs"] == ["mask:abc", f"{tmp_path}/mask:abc"]


def test_a_path_with_a_colon_stays_one_on_a_board():
    address = find_sink("./mask:abc")
    assert address.with_path("mask:abc") == "./mask:abc"
    assert find_sink("./null").with_path("null") == "./null"


@pytest.mark.parametrize(
    ("book", "text", "expected"),
    [
        (SINK_ADDRESSES, "masks:", "masks:FOLDER"),
        (SINK_ADDRESSES, "overlay:", "overlay:FILE or overlay:FOLDER"),
        (SINK_ADDRESSES, "jsonl:", "jsonl:FILE"),
        (SINK_ADDRESSES, "video:", "video:FILE"),
        (SOURCE_ADDRESSES, "folder:", "folder:FOLDER or folder:PATTERN"),
        (SOURCE_ADDRESSES, "image:", "image:FILE"),
        (SOURCE_ADDRESSES, "video:", "video:FILE"),
        (SOURCE_ADDRESSES, "pan:,frames=2", "pan:FILE or pan:FOLDER"),
        (EFFECT_ADDRESSES, "picture:", "picture:FILE"),
    ],
)
def test_a_path_that_is_left_out_is_missed(book, text, expected):
    """Before the plugin is called: an empty path would be the current folder."""
    name = text.partition(":")[0]
    with pytest.raises(InputError) as raised:
        book.open(book.named(text))
    message = f"{name}: expected {expected}, got nothing after the colon"
    assert str(raised.value) == message


def test_a_file_named_like_a_source_comes_first(tmp_path):
    (tmp_path / "camera").touch()
    assert find_source("camera", tmp_path).plugin == "video"
    assert find_source("camera:", tmp_path).plugin == "camera"


@pytest.mark.parametrize(
    ("text", "plugin", "path", "is_folder"),
    [
        ("-", "jsonl", None, False),
        ("jsonl:-", "jsonl", None, False),
        ("a.ndjson", "jsonl", "a.ndjson", False),
        ("a.png", "overlay", "a.png", False),
        ("over", "overlay", "over", True),
        ("v1.5/", "overlay", "v1.5/", True),
        ("masks", "overlay", "masks", True),  # a folder of that name, as it always was
        ("masks:v1.5", "masks", "v1.5", True),
        ("overlay:a.webp", "overlay", "a.webp", False),
        ("clip.MKV", "video", "clip.MKV", False),
        ("mqtts://host/a.mp4?every=5", "mqtt", None, False),
        ("null", "null", None, False),
    ],
)
def test_what_an_output_string_names(text, plugin, path, is_folder, tmp_path):
    address = find_sink(text, tmp_path)
    assert (address.plugin, address.path, address.is_folder) == (
        plugin,
        path,
        is_folder,
    )
    if path is not None:
        assert address.with_path(path) == text


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("v4l2:/dev/video0", ("char-video4linux", "char-media")),
        ("rtsp://host", ()),
    ],
)
def test_devices_that_a_source_opens(text, nodes):
    assert find_source(text).nodes == nodes


def test_to_name_a_bare_path_imports_no_plugin():
    code = (
        "import json, sys\n"
        "from edgeseg.runtime.capture.open import find_source\n"
        "from edgeseg.runtime.output.open import find_sink\n"
        "find_source('.'), find_sink('a.mp4'), find_sink('mqtts://host')\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", code]))
    modules = {f"{book.plugins.package}.{name}" for book, name in PLUGINS}
    assert not modules & set(loaded)


def test_a_declaration_that_only_an_import_tells_is_imported(tmp_path, monkeypatch):
    package = "edgeseg.runtime.sinks"
    (tmp_path / "computed.py").write_text(
        "from edgeseg.runtime.address import AddressKind, Rest\nWHAT = Rest.FILE\n"
        "ADDRESS = AddressKind(WHAT)\n"
    )
    (tmp_path / "silent.py").write_text("PLUGIN = print\n")
    monkeypatch.setattr(
        importlib.import_module(package),
        "__path__",
        [*importlib.import_module(package).__path__, str(tmp_path)],
    )
    book = AddressBook(SINK_ADDRESSES.plugins)
    assert book.kind("computed") == AddressKind(Rest.FILE)
    assert book.kind("silent") == AddressKind(Rest.TEXT)
    for name in ("computed", "silent"):
        sys.modules.pop(f"{package}.{name}", None)
