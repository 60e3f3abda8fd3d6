"""All that a user can type: commands, options and plugins are those of a golden file.

Something added on purpose is written into the file with::

    python tests/test_surface.py

and the difference, which then is part of the change, shows what is new. Something that
a user could type and that is gone needs a reason in the change log.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from edgeseg.converter.loading.load import FORMATS
from edgeseg.converter.networks.backbone import BACKBONES
from edgeseg.converter.recipes import recipe_names
from edgeseg.devices import DEVICES
from edgeseg.devices.address import profile_of
from edgeseg.runtime.accuracy.open import DATASETS
from edgeseg.runtime.capture.open import SOURCE_ADDRESSES
from edgeseg.runtime.cli import main
from edgeseg.runtime.drawing.open_effect import EFFECTS
from edgeseg.runtime.model.labels import known_label_sets
from edgeseg.runtime.output.open import SINK_ADDRESSES

GOLDEN = Path(__file__).with_name("golden") / "surface.json"


def surface():
    """Return what a user can type, as JSON values."""
    return {
        "commands": command_surface(main),
        "devices": {name: units(name) for name in DEVICES.names()},
        "sources": list(SOURCE_ADDRESSES.names()),
        "sinks": list(SINK_ADDRESSES.names()),
        "effects": list(EFFECTS.names()),
        "datasets": list(DATASETS.names()),
        "formats": list(FORMATS.names()),
        "backbones": list(BACKBONES.names()),
        "recipes": sorted(recipe_names()),
        "label sets": sorted(known_label_sets()),
    }


def units(device):
    return [
        f"{unit.name}:N" if unit.numbered else unit.name
        for unit in profile_of(DEVICES, device).units
    ]


def command_surface(command):
    """Return a command's parameters and, of a group, its commands."""
    found = {
        "arguments": [argument_surface(p) for p in command.params if is_argument(p)],
        "options": {
            ", ".join([*p.opts, *p.secondary_opts]): option_surface(p)
            for p in command.params
            if not is_argument(p)
        },
    }
    if isinstance(command, click.Group):
        context = click.Context(command)
        found["commands"] = {
            name: command_surface(command.get_command(context, name))
            for name in command.list_commands(context)
        }
    return found


def is_argument(parameter):
    return parameter.param_type_name == "argument"


def argument_surface(parameter):
    return {"name": parameter.human_readable_name, **type_surface(parameter)}


def option_surface(parameter):
    if parameter.is_flag:
        return {"type": "flag"}
    found = type_surface(parameter)
    # what an option is without a value, where it may stand alone
    for key, value in (("default", parameter.default), ("alone", parameter.flag_value)):
        if isinstance(value, (str, int, float, list, tuple, Path)):
            found[key] = str(value) if isinstance(value, Path) else value
    return found


def type_surface(parameter):
    kind = parameter.type
    found = {"type": kind.name}
    if parameter.required:
        found["required"] = True
    if parameter.nargs != 1 or getattr(parameter, "multiple", False):
        found["values"] = "any number"
    if isinstance(kind, click.Choice):
        found["choices"] = [str(choice) for choice in kind.choices]
    if isinstance(kind, (click.IntRange, click.FloatRange)):
        found["range"] = [kind.min, kind.max]
    return found


def differences(before, after, where=""):
    """Return one line for everything that two surfaces do not have in common."""
    if isinstance(before, dict) and isinstance(after, dict):
        found = []
        for key in sorted({*before, *after}):
            place = f"{where} {key}".strip()
            if key not in after:
                found.append(f"gone: {place}")
            elif key not in before:
                found.append(f"new: {place}")
            else:
                found += differences(before[key], after[key], place)
        return found
    return [] if before == after else [f"changed: {where}: {before} is now {after}"]


@pytest.mark.parametrize("book", [SOURCE_ADDRESSES, SINK_ADDRESSES])
def test_the_help_of_run_names_every_source_and_sink(book):
    """By its name, or by a path that it opens."""
    text = main.get_command(click.Context(main), "run").help
    section = "SOURCE is" if book is SOURCE_ADDRESSES else "OUT is"
    (shown,) = re.findall(rf"{section}\n(.*?)\n\n", text + "\n\n", re.DOTALL)
    for name in book.plugins.names():
        paths = [re.escape(sign) for sign in book.kind(name).bare if len(sign) > 2]
        kinds = "|".join([rf"\b{name}\b", *paths])
        assert re.search(kinds, shown), f"{name} is missing in the help of run"


@pytest.fixture(scope="module")
def now():
    return json.loads(json.dumps(surface()))


def test_a_user_can_type_what_the_golden_file_says(now):
    print(json.dumps(now, indent=1))
    golden = json.loads(GOLDEN.read_text("utf-8"))
    found = differences(golden, now)
    assert not found, f"{found}; on purpose? run: python tests/test_surface.py"


def test_what_is_gone_new_or_changed_is_named(now):
    other = json.loads(json.dumps(now))
    del other["commands"]["commands"]["run"]["options"]["--alpha"]
    other["sinks"].remove("mqtt")
    other["devices"]["npu"] = [""]
    found = differences(now, other)
    assert found[0] == "gone: commands commands run options --alpha"
    assert found[1] == "new: devices npu"
    assert found[2].startswith("changed: sinks: ")
    assert len(found) == 3


def test_the_golden_file_is_written_by_running_this_file(tmp_path):
    path = tmp_path / "surface.json"
    command = [sys.executable, __file__, str(path)]
    subprocess.run(command, check=True)
    assert path.read_text("utf-8") == GOLDEN.read_text("utf-8")


@pytest.mark.parametrize("words", [["--help"], ["a.json", "b.json"]])
def test_no_option_is_taken_for_the_file(words, tmp_path):
    command = [sys.executable, __file__, *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr.split()[0]) == (1, "usage:")
    assert not list(tmp_path.iterdir())


def write(path):
    text = json.dumps(surface(), indent=1, ensure_ascii=False)
    path.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 2 or any(text.startswith("-") for text in sys.argv[1:]):
        sys.exit("usage: python tests/test_surface.py [FILE]")
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else GOLDEN)
