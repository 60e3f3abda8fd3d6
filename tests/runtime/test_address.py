"""The grammar of sources, sinks and effects, and that nobody else knows their names."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys

import pytest

from edgeseg.runtime.address import AddressBook, AddressKind, Rest
from edgeseg.runtime.capture.open import SOURCE_ADDRESSES, find_source
from edgeseg.runtime.drawing.open_effect import EFFECT_ADDRESSES
from edgeseg.runtime.output.open import SINK_ADDRESSES, find_sink

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
        ("*.jpg", "folder", "*.jpg", "*.jpg"),
        ("here.JPG", "image", "here.JPG", "here.JPG"),
        ("here", "video", "here", "here"),
        ("camera.", "folder", "camera.", "camera."),
    ],
)
def test_what_a_source_string_names(text, plugin, rest, path, tmp_path):
    (tmp_path / "camera.").mkdir()
    for name in ("here.JPG", "here"):
        (tmp_path / name).touch()
    address = find_source(text, tmp_path)
    assert (address.plugin, address.rest, address.path) == (plugin, rest, path)


@pytest.mark.parametrize("text", ["nothing", "gopher://host", "a:b"])
def test_what_names_no_source(text, tmp_path):
    assert find_source(text, tmp_path) is None


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
