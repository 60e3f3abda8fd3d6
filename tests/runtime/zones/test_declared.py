"""Zones and lines as a command line or a TOML file declares them."""

from __future__ import annotations

import pytest

from edgeseg.devices import InputError
from edgeseg.runtime import Line, Zone
from edgeseg.runtime.commands.config import load_config
from edgeseg.runtime.commands.run import run
from edgeseg.runtime.zones.declared import line_of, zone_of

DOOR = Zone(
    "door",
    ((0.1, 0.2), (0.4, 0.2), (0.4, 0.9)),
    ("person", "dog"),
    min_area=400,
    dwell_s=10,
    anchor="foot",
)
TABLE = {
    "name": "door",
    "points": [[0.1, 0.2], [0.4, 0.2], [0.4, 0.9]],
    "classes": ["person", "dog"],
    "min_area": 400,
    "dwell_s": 10,
    "anchor": "foot",
}
TEXT = (
    "door=0.1,0.2 0.4,0.2 0.4,0.9;classes=person,dog; min_area=400; "
    "dwell_s=10;anchor=foot"
)


def test_a_text_and_a_table_say_the_same():
    assert zone_of(TEXT) == zone_of(TABLE) == DOOR
    assert zone_of(DOOR) is DOOR
    line = Line("gate", ((320, 0), (320, 480)), directions=("left", "right"))
    assert line_of("gate=320,0 320,480;directions=left,right") == line
    table = {"name": "gate", "points": [[320, 0], [320, 480]]}
    assert line_of({**table, "directions": ["left", "right"]}) == line


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dwel_s": 3}, "zone door: unknown key 'dwel_s'; did you mean 'dwell_s'?"),
        ({"qq": 3}, "zone door: unknown key 'qq'; known: name, points, classes, min_"),
        (
            {"points": None},
            "zone door: points: expected a list of points such as [[0.1",
        ),
        ({"points": [[0, 0], [1], [1, 1]]}, "zone door: points: expected a list of po"),
        ({"points": [[0, 0], [1, "a"], [1, 1]]}, "got [1, 'a']"),
        ({"points": [[0, 0], [1, True], [1, 1]]}, "got [1, True]"),
        ({"points": "0,0 1,1"}, "got '0,0 1,1'"),
        ({"name": 3}, "zone: name: expected text, got 3"),
        ({"name": ""}, "zone: name: expected 1 to 40 characters"),
        (
            {"classes": "person"},
            "zone door: classes: expected a list of class names, g",
        ),
        ({"dwell_s": "long"}, "zone door: dwell_s: expected a number, got 'long'"),
        ({"dwell_s": True}, "zone door: dwell_s: expected a number, got True"),
        ({"dwell_s": -1}, "zone door: dwell_s: expected 0 or more, at most 86400, got"),
        (
            {"threshold": 2},
            "zone door: threshold: expected more than 0, at most 1, got",
        ),
        ({"anchor": "head"}, "zone door: anchor: expected centre or foot, got 'head'"),
    ],
)
def test_a_bad_table_names_the_key_and_what_was_expected(change, message, tmp_path):
    table = {**TABLE, **change}
    with pytest.raises(InputError) as refused:
        zone_of(table)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("key", ["name", "points"])
def test_what_is_needed_is_named(key):
    table = {k: v for k, v in TABLE.items() if k != key}
    with pytest.raises(InputError, match=f"{key}: expected .*, got none"):
        zone_of(table)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("door", "zone: expected NAME=X,Y X,Y ... and perhaps ;KEY=VALUE, got 'door'"),
        ("door=0,0 1", "zone door: points: expected X,Y, got '1'"),
        ("door=0,0 1,a 1,1", "zone door: points: expected X,Y, got '1,a'"),
        ("door=0,0 1,0 1,1;dwell", "zone door: expected ;KEY=VALUE, got 'dwell'"),
        (
            "door=0,0 1,0 1,1;dwell_s=x",
            "zone door: dwell_s: expected a number, got 'x'",
        ),
        ("door=0,0 1,1 1,0 0,1", "zone door: points: expected a polygon that does not"),
        ("door=", "zone door: points: expected 3 to 100 points"),
        (7, "zone: expected a table [[zone]] with name and points, got 7"),
    ],
)
def test_a_bad_text_is_refused_in_one_line(text, message):
    with pytest.raises(InputError) as refused:
        zone_of(text)
    assert message in str(refused.value)


CONFIG = """
model = "animals"
source = "camera:0"

[[zone]]
name = "door"
points = [[0.1, 0.2], [0.4, 0.2], [0.4, 0.9]]
classes = ["person", "dog"]
min_area = 400
dwell_s = 10
anchor = "foot"

[[zone]]
name = "lawn"
points = [[0, 0.5], [1, 0.5], [1, 1]]

[[line]]
name = "gate"
points = [[320, 0], [320, 480]]
"""


def test_a_file_has_a_table_for_each(tmp_path):
    path = tmp_path / "camera.toml"
    path.write_text(CONFIG)
    values = load_config(path, run)
    assert zone_of(values["zones"][0]) == DOOR
    assert len(values["zones"]) == 2
    context = run.make_context("run", ["--config", str(path)])
    settings = context.params
    assert settings["zones"][0] == DOOR
    assert settings["zones"][1].name == "lawn"
    assert settings["lines"] == (Line("gate", ((320, 0), (320, 480))),)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "dwell_s = 10",
            "dwel = 10",
            "zone door: unknown key 'dwel'; did you mean 'dw",
        ),
        ("[[320, 0], [320, 480]]", "[320, 0]", "line gate: points: expected a list of"),
        ("[[line]]", "[[lines]]", "unknown key 'lines'; did you mean 'line'?"),
        ('name = "lawn"\n', "", "zone: name: expected what events call it, got none"),
    ],
)
def test_a_bad_file_is_named_with_its_zone(old, new, message, tmp_path):
    path = tmp_path / "camera.toml"
    path.write_text(CONFIG.replace(old, new, 1))
    with pytest.raises(InputError) as refused:
        load_config(path, run)
    assert str(refused.value).startswith(f"{path}: {message}")
