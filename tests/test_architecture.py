"""The rules of the house, held: layers, circles, commands, plugin folders, privacy.

Each rule is a function from a tree of sources to what breaks it, so that it can be
seen to fail on a small made-up tree.
"""

from __future__ import annotations

import ast
import functools
from pathlib import PurePosixPath

import pytest

LAYERS = ["devices", "runtime", "converter", "benchmarks"]
PLUGIN_FOLDERS = [
    "devices/boards",
    "runtime/sources",
    "runtime/sinks",
    "runtime/effects",
    "runtime/datasets",
    "converter/loading/formats",
    "converter/backbones",
    "converter/compilers",
]


@pytest.fixture(scope="module")
def tree(root):
    """The source of every module, by its path in the repository."""
    return {
        path.relative_to(root).as_posix(): path.read_text("utf-8")
        for layer in LAYERS
        for path in sorted((root / layer).rglob("*.py"))
    }


def module_name(path):
    parts = PurePosixPath(path).with_suffix("").parts
    return ".".join(["edgeseg", *(parts[:-1] if parts[-1] == "__init__" else parts)])


@functools.cache
def imported(source):
    """Return what a source imports anywhere, each name with its module before it."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def imports(tree):
    """Return for each module of a tree the modules of the tree that it imports."""
    known = {module_name(path) for path in tree}
    return {
        module_name(path): {
            target if target in known else target.rpartition(".")[0]
            for target in imported(source)
        }
        & known
        for path, source in tree.items()
    }


# imports point down: devices <- runtime <- converter <- benchmarks


def upward(tree):
    above = {layer: LAYERS[place + 1 :] for place, layer in enumerate(LAYERS)}
    return [
        f"{path} imports {target}"
        for path, source in tree.items()
        for target in imported(source)
        if target.startswith("edgeseg.")
        and target.split(".")[1] in above[path.partition("/")[0]]
    ]


def test_imports_point_down(tree):
    assert upward(tree) == []


@pytest.mark.parametrize(
    "line", ["from edgeseg.converter import cli", "from edgeseg import converter"]
)
def test_both_spellings_of_an_upward_import_are_seen(line):
    assert len(upward({"runtime/a.py": line, "benchmarks/b.py": line})) == 1


# no module imports itself through others, be it for types or in a function


def circles(graph):
    """Return one circle for every knot of modules, as the way around it."""
    done, found = set(), []
    for start in sorted(graph):
        if start in done:
            continue
        way = _way_back(graph, start, done)
        if way:
            found.append(" -> ".join(way))
            done.update(way)
        done.add(start)
    return found


def _way_back(graph, start, done):
    """Return a shortest way from a module through what it imports to itself."""
    before = {start: None}
    queue = [start]
    for module in queue:
        for target in sorted(graph[module] - done):
            if target == start:
                way = [start]
                while module is not None:
                    way.insert(0, module)
                    module = before[module]
                return way
            if target not in before:
                before[target] = module
                queue.append(target)
    return []


def test_no_modules_import_each_other_in_a_circle(tree):
    assert circles(imports(tree)) == []


def test_a_circle_is_named_however_it_is_hidden():
    tree = {
        "runtime/__init__.py": "",
        "runtime/a.py": "from edgeseg.runtime.b import B",
        "runtime/b.py": "if TYPE_CHECKING:\n    from edgeseg.runtime import c",
        "runtime/c.py": "def late():\n    import edgeseg.runtime.a",
        "runtime/d.py": "from edgeseg.runtime import a, b, c",
    }
    way = ["edgeseg.runtime.a", "edgeseg.runtime.b", "edgeseg.runtime.c"]
    assert circles(imports(tree)) == [" -> ".join([*way, way[0]])]


# a command is LAYER/commands/NAME.py, and nothing imports from there but commands;
# what commands share about options is for every program with a command line


def command_users(tree):
    return [
        f"{module} imports {target}"
        for module, targets in imports(tree).items()
        for target in sorted(targets)
        if _is_command(target) and ".commands" not in module
    ]


def _is_command(module):
    folder, _, name = module.rpartition(".")
    return folder.endswith(".commands") and not name.endswith(("options", "config"))


def test_nothing_imports_a_command(tree):
    assert command_users(tree) == []


def test_whoever_imports_a_command_is_named():
    tree = {
        "runtime/commands/run.py": "from edgeseg.runtime.commands.options import F",
        "runtime/commands/options.py": "",
        "runtime/commands/service.py": "from edgeseg.runtime.commands.run import run",
        "runtime/service.py": "from edgeseg.runtime.commands import run, options",
    }
    expected = ["edgeseg.runtime.service imports edgeseg.runtime.commands.run"]
    assert command_users(tree) == expected


# a plugin folder holds plugins only: one public file is what a user types


def strangers(tree):
    """Return what is in a plugin folder and no plugin."""
    return [
        path
        for path, source in tree.items()
        for folder in PLUGIN_FOLDERS
        if path.startswith(f"{folder}/")
        and PurePosixPath(path).name != "__init__.py"
        and not (_is_public(path, folder) and _defines(source, "PLUGIN"))
    ]


def _is_public(path, folder):
    name = path[len(folder) + 1 :]
    return "/" not in name and not name.startswith("_")


def _defines(source, name):
    for node in ast.parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
            return True
        targets = node.targets if isinstance(node, ast.Assign) else ()
        if any(isinstance(t, ast.Name) and t.id == name for t in targets):
            return True
    return False


def test_plugin_folders_hold_plugins_only(tree):
    assert strangers(tree) == []
    for folder in PLUGIN_FOLDERS:
        assert sum(path.startswith(f"{folder}/") for path in tree) > 2


def test_a_stranger_among_plugins_is_named():
    tree = {
        "runtime/sinks/__init__.py": "",
        "runtime/sinks/video.py": "PLUGIN = open",
        "runtime/sinks/_base.py": "PLUGIN = open",
        "runtime/sinks/wire/video.py": "PLUGIN = open",
        "runtime/sinks/clock.py": "def f():\n    PLUGIN = open",
    }
    assert strangers(tree) == [*tree][2:]


# an underscore means: private to this folder


def intruders(tree):
    return [
        f"{module_name(path)} imports {target}"
        for path, source in tree.items()
        for target in imported(source)
        if target.startswith("edgeseg.")
        and (folder := _private_folder(target))
        and ".".join(["edgeseg", *PurePosixPath(path).parts[:-1]]) != folder
    ]


def _private_folder(target):
    """Return the folder of the first private module in a name; None without one."""
    parts = target.split(".")
    for place, part in enumerate(parts):
        if part.startswith("_") and not part.startswith("__"):
            return ".".join(parts[:place])
    return None


def test_private_modules_are_used_in_their_folder_only(tree):
    assert intruders(tree) == []


def test_whoever_imports_a_private_module_is_named():
    tree = {
        "runtime/shipped/__init__.py": "from edgeseg.runtime.shipped._paths import f",
        "runtime/shipped/_paths.py": "from __future__ import annotations",
        "runtime/model/info.py": "def f():\n    import edgeseg.runtime.shipped._paths",
    }
    expected = ["edgeseg.runtime.model.info imports edgeseg.runtime.shipped._paths"]
    assert intruders(tree) == expected


def test_interpreters_are_imported_in_one_file_only(tree):
    users = [
        path
        for path, source in tree.items()
        if "tflite_runtime.interpreter" in source
        or "ai_edge_litert.interpreter" in source
    ]
    assert users == ["devices/litert.py"]
