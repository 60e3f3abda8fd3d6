"""What all effects share, and those that stand alone."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from edgeseg.devices import (
    InputError,
    MissingDriverError,
    PluginFolder,
    UnknownPluginError,
)
from edgeseg.runtime.drawing.contract import check_effect
from edgeseg.runtime.drawing.effect import Effect, Scene, Strength
from edgeseg.runtime.drawing.open_effect import (
    EFFECTS,
    effect_controls,
    open_effect,
    whole_number,
)

COLOURS = np.random.default_rng(7).integers(1, 256, (256, 3), dtype=np.uint8)
# what each needs after its name, if anything
TEXTS = {"colour": "colour:#336699", "picture": None}


@pytest.fixture
def scene():
    random = np.random.default_rng(0)
    frame = random.integers(0, 256, (60, 90, 3), dtype=np.uint8)
    ids = np.zeros((60, 90), np.uint8)
    ids[10:30, 20:70], ids[40:50, 20:70] = 3, 5
    shown = np.zeros(256, bool)
    shown[3] = True
    return Scene(frame, ids, shown, COLOURS)


@pytest.fixture
def drawing(tmp_path):
    path = tmp_path / "drawing.png"
    Image.fromarray(np.full((20, 30, 3), 77, np.uint8)).save(path)
    return f"picture:{path}"


@pytest.mark.parametrize("name", EFFECTS.names())
def test_every_effect_keeps_the_contract(name, drawing):
    check_effect(open_effect(TEXTS.get(name, name) or drawing))


class Careless(Effect):
    def draw(self, scene):
        scene.frame[0] = 0
        return scene.frame.copy()


class Lazy(Effect):
    def draw(self, scene):
        return scene.frame


class Tall(Effect):
    pointwise = True

    def draw(self, scene):
        return np.ascontiguousarray(scene.frame[::-1])


class Copied(Effect):
    def draw(self, scene):
        return scene.frame.copy()


class Loud(Copied):
    title = "Loud\x1b[2J"


class Reversed(Copied):
    strength = Strength("Strength", 5, 100, 3)


class Narrow(Copied):
    strength = Strength("Strength", 1, 100, 30)

    def __init__(self, text=""):
        whole_number("narrow", text, what="a strength", within=Strength("", 1, 50, 30))


class Colourless(Copied):
    takes_colour = True

    def __init__(self, text=""):
        if text:
            raise InputError("takes nothing")


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        (Careless, "changed the frame"),
        (Lazy, "a new one"),
        (Tall, "pointwise"),
        (Loud, "a title is one printable line"),
        (Reversed, "low <= default <= high"),
        (Narrow, "declares to take 100, but"),
        (Colourless, "declares to take #00b140, but"),
    ],
)
def test_a_broken_contract_is_seen(effect, words):
    with pytest.raises(AssertionError, match=words):
        check_effect(effect())


@pytest.mark.parametrize("name", EFFECTS.names())
def test_every_effect_has_a_title_for_the_page(name):
    controls = effect_controls(name)
    assert controls["title"] == EFFECTS.load(name).title != ""


def test_an_effect_of_a_missing_package_has_its_name_alone(monkeypatch):
    def load(self, name):
        raise MissingDriverError(name)

    monkeypatch.setattr(PluginFolder, "load", load)
    controls = effect_controls("blur")
    assert controls["title"] == "blur"
    assert controls["strength"] is None


def test_a_mask_shows_the_chosen_colours_and_black(scene):
    drawn = open_effect("mask").draw(scene)
    np.testing.assert_array_equal(drawn[scene.mask] - COLOURS[3], 0)
    np.testing.assert_array_equal(drawn[~scene.mask], 0)


def test_a_cutout_is_transparent_and_empty_where_nothing_is_shown(scene):
    drawn = open_effect("cutout").draw(scene)
    assert drawn.shape == (60, 90, 4)
    np.testing.assert_array_equal(drawn[13:27, 23:67, :3], scene.frame[13:27, 23:67])
    np.testing.assert_array_equal(drawn[13:27, 23:67, 3], 255)
    np.testing.assert_array_equal(drawn[35:], 0)


def test_a_cutout_survives_a_png(scene):
    drawn = open_effect("cutout").draw(scene)
    file = io.BytesIO()
    Image.fromarray(drawn).save(file, "PNG")
    np.testing.assert_array_equal(np.asarray(Image.open(file)), drawn)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("grey:5", "takes nothing"),
        ("cutout:x", "takes nothing"),
        ("mask:x", "takes nothing"),
        ("blur:0", "1 to 100"),
        ("blur:101", "1 to 100"),
        ("blur:-3", "1 to 100"),
        ("blur:2.5", "1 to 100"),
        ("hide:strong", "1 to 100"),
        ("pixelate:1", "2 to 100"),
        ("pixelate:99999999", "2 to 100"),
        ("colour:", "#00B140"),
        ("colour", "#00B140"),
        ("colour:red", "#00B140"),
        ("colour:#12345", "#00B140"),
        ("picture", "beach.jpg"),
        ("picture:", "picture:FILE"),
        ("picture:no-such-file.jpg", "no-such-file.jpg"),
    ],
)
def test_what_an_effect_cannot_use_is_said(text, words):
    with pytest.raises(InputError, match=words) as caught:
        open_effect(text)
    assert "\n" not in str(caught.value)


def test_an_unknown_effect_lists_the_known_ones():
    with pytest.raises(UnknownPluginError, match=r"did you mean 'blur'"):
        open_effect("blurr")
