from __future__ import annotations

import numpy as np
import pytest

from edgeseg.devices import InputError
from edgeseg.runtime import Capture, Look, Manifest, Meter, Painter, Segmentation, Style
from edgeseg.runtime.drawing.open_effect import EFFECTS
from edgeseg.runtime.pictures.files import write_picture

MANIFEST = Manifest(labels=("background", "sch\u00f6n"))


@pytest.fixture
def frame():
    return np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)


@pytest.fixture
def result():
    ids = np.zeros((240, 320), np.uint8)
    ids[80:200, 90:280] = 1
    return Segmentation(ids, MANIFEST.labels, {"invoke": 5.0})


@pytest.mark.parametrize("extra", ["contours", "legend", "statistics"])
def test_each_extra_changes_the_drawing_and_not_the_frame(extra, frame, result):
    meter = Meter()
    meter.add(Capture(frame, "a", 0.0), result)
    painter, capture = Painter(MANIFEST, meter), Capture(frame.copy(), "a", 0.0)
    plain = painter.draw(capture, result, Look())
    assert (painter.draw(capture, result, Look(**{extra: True})) != plain).any()
    np.testing.assert_array_equal(capture.frame, frame)


def test_a_frame_is_drawn_once_for_several_sinks(frame, result):
    style, capture = Style(MANIFEST), Capture(frame, "a", 0.0)
    first = style.draw(capture, result)
    assert style.draw(capture, result) is first
    assert style.draw(capture, result, Look(alpha=1)) is not first
    assert style.draw(Capture(frame, "b", 0.1), result) is not first


def test_a_model_without_background_tints_everything(frame, result):
    manifest = Manifest(labels=("road",), palette=((9, 8, 7),))
    everywhere = Segmentation(np.zeros((240, 320), np.uint8), (), {})
    drawn = Painter(manifest).draw(Capture(frame, "a", 0.0), everywhere, Look(alpha=1))
    np.testing.assert_array_equal(drawn, np.broadcast_to([9, 8, 7], frame.shape))


def test_classes_that_are_not_named_stay_as_they_are(frame, result):
    look = Look(classes=("background",), alpha=1)
    drawn = Painter(MANIFEST).draw(Capture(frame, "a", 0.0), result, look)
    np.testing.assert_array_equal(drawn[result.ids == 1], frame[result.ids == 1])
    assert not drawn[result.ids == 0].any()


def test_an_unknown_class_is_refused_when_it_is_first_seen(frame, result):
    with pytest.raises(InputError, match="unknown class"):
        Painter(MANIFEST).draw(Capture(frame, "a", 0.0), result, Look(classes=("cow",)))


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3)])
def test_small_pictures_can_have_everything_drawn(size):
    frame = np.zeros((*size, 3), np.uint8)
    result = Segmentation(np.ones(size, np.uint8), (), {"invoke": 1.0})
    meter, capture = Meter(), Capture(frame, "a", 0.0)
    meter.add(capture, result)
    look = Look(contours=True, legend=True, statistics=True)
    assert Painter(MANIFEST, meter).draw(capture, result, look).shape == frame.shape


def test_a_sink_that_knows_no_alpha_gets_what_is_cut_out_on_black(frame, result):
    if "cutout" not in EFFECTS.names():
        pytest.skip("no effect with an alpha channel here")
    style, capture = Style(MANIFEST, look=Look(effect="cutout")), Capture(frame, "a", 0)
    assert style.draw_alpha(capture, result).shape == (240, 320, 4)
    flat = style.draw(capture, result)
    assert flat.shape == frame.shape
    assert not flat[0, 0].any()


def test_any_number_of_looks_may_be_tried(frame, result):
    painter, capture = Painter(MANIFEST), Capture(frame, "a", 0.0)
    for step in range(100):
        painter.draw(capture, result, Look(alpha=step / 100))
    assert painter.draw(capture, result, Look(alpha=0)).shape == frame.shape


@pytest.mark.parametrize("effect", EFFECTS.names())
@pytest.mark.parametrize("extra", [{}, {"contours": True}, {"legend": True}])
def test_bands_together_are_the_drawing(
    effect, extra, frame, result, tmp_path, monkeypatch
):
    monkeypatch.setattr("edgeseg.runtime.pictures.row_bands._BAND_PIXELS", 320 * 50)
    write_picture(tmp_path / "beach.png", frame[::-1])
    rest = {"colour": ":#102030", "picture": f":{tmp_path}/beach.png"}.get(effect, "")
    look, capture = Look(effect=effect + rest, **extra), Capture(frame, "a", 0.0)
    expected = Painter(MANIFEST).draw(capture, result, look)
    bands = list(Painter(MANIFEST).draw_bands(capture, result, look))
    np.testing.assert_array_equal(np.concatenate(bands), expected)
    in_pieces = effect in ("overlay", "mask") and not extra
    assert len(bands) == (5 if in_pieces else 1)


def test_a_drawing_that_is_there_is_one_band(frame, result):
    painter, capture = Painter(MANIFEST), Capture(frame, "a", 0.0)
    drawn = painter.draw(capture, result, Look())
    (band,) = painter.draw_bands(capture, result, Look())
    assert band is drawn
