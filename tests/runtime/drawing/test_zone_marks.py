"""Zones in the picture, and effects that end at them."""

from __future__ import annotations

import numpy as np
import pytest

from edgeseg.devices import InputError
from edgeseg.runtime import Capture, Line, Look, Manifest, Segmentation, Style, Zone
from edgeseg.runtime.drawing.look import check_look
from edgeseg.runtime.drawing.open_effect import EFFECTS
from edgeseg.runtime.zones.events import ClassInZone, Watched

MANIFEST = Manifest(labels=("background", "person"))
LEFT = Zone("left", ((0, 0), (0.5, 0), (0.5, 1), (0, 1)))
CORNER = Zone("corner", ((70, 0), (90, 0), (90, 20), (70, 20)))
GATE = Line("gate", ((0.5, 0.2), (0.5, 0.8)))
COLOUR = "colour:#102030"


@pytest.fixture(scope="module")
def scene():
    random = np.random.default_rng(0)
    frame = random.integers(0, 256, (60, 90, 3), dtype=np.uint8)
    ids = np.zeros((60, 90), np.uint8)
    ids[10:50, 20:80] = 1
    return Capture(frame, "scene", 0.0), Segmentation(ids, MANIFEST.labels, {})


def drawn(scene, watched=None, *, lines=(), **look):
    style = Style(MANIFEST, Look(**look), zones=(LEFT, CORNER), lines=lines)
    capture, segmentation = scene
    seen = Segmentation(segmentation.ids, segmentation.labels, {}, watched)
    return style.draw_alpha(capture, seen)


NAMES = sorted({*EFFECTS.names(), COLOUR} - {"picture", "colour"})


@pytest.mark.parametrize("effect", NAMES)
def test_an_effect_ends_where_its_zone_ends(effect, scene):
    frame = scene[0].frame
    whole = drawn(scene, effect=effect, hide_zones=True)
    inside = drawn(scene, effect=effect, hide_zones=True, inside=("left",))
    outside = drawn(scene, effect=effect, hide_zones=True, outside=("left",))
    assert inside.shape == outside.shape == whole.shape
    np.testing.assert_array_equal(inside[:, :45], whole[:, :45])
    np.testing.assert_array_equal(inside[:, 45:, :3], frame[:, 45:])
    np.testing.assert_array_equal(outside[:, 45:], whole[:, 45:])
    np.testing.assert_array_equal(outside[:, :45, :3], frame[:, :45])
    if whole.shape[2] == 4:
        assert (inside[:, 45:, 3] == 255).all()


def test_an_effect_may_be_in_several_zones(scene):
    both = ("left", "corner")
    inside = drawn(scene, effect="mask", hide_zones=True, inside=both)
    whole = drawn(scene, effect="mask", hide_zones=True)
    np.testing.assert_array_equal(inside[:20, 70:], whole[:20, 70:])
    np.testing.assert_array_equal(inside[20:, 45:], scene[0].frame[20:, 45:])


def test_bands_of_a_large_picture_end_at_the_zone_too(scene):
    style = Style(MANIFEST, Look(inside=("left",), hide_zones=True), zones=(LEFT,))
    bands = list(style.draw_bands(*scene, alpha=True))
    np.testing.assert_array_equal(np.concatenate(bands), style.draw(scene[0], scene[1]))


def test_zones_and_lines_are_drawn_unless_hidden(scene):
    plain = drawn(scene, hide_zones=True)
    marked = drawn(scene, lines=(GATE,))
    differs = (plain != marked).any(axis=2)
    assert differs[5:55, 43:48].any()  # the side of the zone, and the line
    assert differs[2:20, 68:73].any()
    assert not differs[54:, 60:].any()  # below all of them, and their names
    hidden = drawn(scene, lines=(GATE,), hide_zones=True)
    np.testing.assert_array_equal(hidden, plain)
    cut = drawn(scene, effect="cutout", lines=(GATE,))
    np.testing.assert_array_equal(cut, drawn(scene, effect="cutout", hide_zones=True))


def test_a_zone_with_something_in_it_and_the_counts_look_different(scene):
    there = Watched(zones={"left": {"person": ClassInZone(0.2, 2, True)}})
    crossed = Watched(lines={"gate": {"in": 3, "out": 0}})
    quiet = drawn(scene, lines=(GATE,))
    assert (drawn(scene, there, lines=(GATE,)) != quiet).any()
    assert (drawn(scene, crossed, lines=(GATE,)) != quiet).any()


def test_names_of_zones_are_checked():
    with pytest.raises(InputError, match="in: unknown zone 'lef'; known: left, corner"):
        check_look(Look(inside=("lef",)), MANIFEST, (LEFT, CORNER))
    with pytest.raises(InputError, match=r"outside: .* known: none \(--zone gives one"):
        check_look(Look(outside=("left",)), MANIFEST)
    with pytest.raises(InputError, match="expected one of them, got zones for both: a"):
        Look(inside=("a",), outside=("b",))
