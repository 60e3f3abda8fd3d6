"""Input that is damaged, absurd or unlucky: told in one line, never lost or guessed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edgeseg.devices import InputError, ManifestError, MissingDriverError, PluginFolder
from edgeseg.runtime import Capture, Manifest, Segmentation, Style
from edgeseg.runtime.accuracy.matching import match_labels
from edgeseg.runtime.accuracy.open import open_dataset
from edgeseg.runtime.capture.open import open_source
from edgeseg.runtime.model.embedded import append_manifest, stored_manifest
from edgeseg.runtime.model.labels import load_labels
from edgeseg.runtime.output.open import open_sink
from edgeseg.runtime.pictures.files import write_picture


@pytest.mark.parametrize(
    "change",
    [
        {"pad": float("inf")},
        {"input_size": [float("inf")] * 2},
        {"palette": [[float("inf"), 0, 0]]},
        {"palette": [[0, 0, 0]] * 257},
        {"mean": [float("nan")] * 3},
        {"std": [float("inf")] * 3},
    ],
)
def test_values_that_are_no_use_are_refused(change):
    with pytest.raises(ManifestError):
        Manifest.from_json(json.dumps({**Manifest().to_dict(), **change}))


def test_a_damaged_archive_is_told(tmp_path):
    model = b"\0\0\0\0TFL3" + bytes(500)
    whole = append_manifest(model, Manifest(labels=("a", "b")))
    path, escaped = tmp_path / "m.tflite", set()
    for at in range(len(model) + 45, len(model) + 170):
        damaged = bytearray(whole)
        damaged[at] ^= 0x5A
        path.write_bytes(damaged)
        try:
            if stored_manifest(path) is None:
                escaped.add("None")
        except ManifestError:
            pass
        except Exception as error:
            escaped.add(repr(error))
    assert not escaped


def test_no_picture_is_lost_to_a_like_name(tmp_path):
    for name in ("a.jpg", "a.png", "a_jpg.png"):
        write_picture(tmp_path / name, np.zeros((4, 4, 3), np.uint8))
    assert open_source(str(tmp_path)).count == 3


def test_a_video_makes_its_folder(tmp_path):
    clip = tmp_path / "new" / "clip.mp4"
    with open_sink(str(clip), Style(Manifest())) as sink:
        ids = np.zeros((48, 64), np.uint8)
        sink.write(
            Capture(np.zeros((48, 64, 3), np.uint8), "a", 0.0),
            Segmentation(ids, (), {}),
        )
    assert clip.is_file()


def test_two_spellings_in_one_model_both_match():
    got = match_labels(("background", "cat", "tv"), ("background", "tv", "tvmonitor"))
    np.testing.assert_array_equal(got.predicted_table[:3], [0, 2, 2])


def test_a_missing_library_is_named(tmp_path, monkeypatch):
    (tmp_path / "plug_lib").mkdir()
    (tmp_path / "plug_lib" / "__init__.py").touch()
    (tmp_path / "plug_lib" / "x.py").write_text(
        "raise ImportError('libedgetpu.so.1: cannot open shared object file')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingDriverError, match="libedgetpu"):
        PluginFolder("gadget", "plug_lib").load("x")


def test_a_split_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "JPEGImages").mkdir()
    (tmp_path / "SegmentationClass").mkdir()
    (tmp_path / "val.txt").write_bytes(b"\xff\xfe\x81")
    with pytest.raises(InputError):
        open_dataset(tmp_path, "val")


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"classes":[{"name":"a","colour":[Infinity,0,0]}]}']
)
def test_label_json_that_is_no_use_is_refused(text, tmp_path):
    (tmp_path / "l.json").write_text(text)
    with pytest.raises(InputError):
        load_labels(str(tmp_path / "l.json"))
