from __future__ import annotations

import dataclasses
import io
import json
import zipfile

import pytest
from hypothesis import given
from strategies import manifests

from edgeseg.devices import InputError, ManifestError
from edgeseg.runtime import Manifest, Overrides, Segmenter
from edgeseg.runtime.model.embedded import (
    append_manifest,
    sidecar_path,
    stored_labels,
    stored_manifest,
)
from edgeseg.runtime.model.labels import (
    background_ids,
    known_label_sets,
    label_set_of,
    load_labels,
    voc_palette,
)

FLATBUFFER = b"\x1c\0\0\0TFL3" + bytes(range(256)) * 4


@given(manifests)
def test_json_round_trip(manifest):
    assert Manifest.from_json(manifest.to_json()) == manifest


@given(manifests)
def test_a_file_carries_its_manifest_behind_an_unchanged_model(manifest):
    content = append_manifest(FLATBUFFER, manifest)
    assert content.startswith(FLATBUFFER)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert Manifest.from_json(archive.read("edgeseg.json").decode()) == manifest
    assert append_manifest(content, manifest) == content


def test_a_newer_manifest_replaces_the_older(tmp_path):
    path = tmp_path / "model.tflite"
    older = append_manifest(FLATBUFFER, Manifest(labels=("old",)))
    path.write_bytes(append_manifest(older, Manifest(labels=("new",))))
    assert stored_manifest(path).labels == ("new",)
    assert path.read_bytes().startswith(FLATBUFFER)


def test_a_sidecar_serves_a_file_without_one(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(FLATBUFFER)
    assert stored_manifest(path) is None
    sidecar_path(path).write_text(Manifest(labels=("side",)).to_json())
    assert stored_manifest(path).labels == ("side",)
    path.write_bytes(append_manifest(FLATBUFFER, Manifest(labels=("inside",))))
    assert stored_manifest(path).labels == ("inside",)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"version": None},
        {"surprise": 1},
        {"head": "tail"},
        {"fit": "crop"},
        {"std": [1, 0, 1]},
        {"mean": [1, 2]},
        {"mean": "abc"},
        {"labels": "cat"},
        {"labels": ["a"] * 257},
        {"palette": [[0, 0, 256]]},
        {"input_size": [0, 5]},
        {"pad": 300},
        {"provenance": []},
        {"channels": None},
    ],
)
def test_malformed_manifests_are_refused(change):
    values = {**Manifest().to_dict(), **change}
    with pytest.raises(ManifestError, match="manifest"):
        Manifest.from_json(json.dumps(values))


# 300 levels are read by every JSON reader, and too deep for what walks them
DEEP = '{"version": 1, "provenance": {"a": ' + "[" * 300 + "]" * 300 + "}}"


@pytest.mark.parametrize("text", ["", "[]", "{", "null", "[" * 100_000, DEEP])
def test_text_that_is_no_manifest_is_refused(text):
    with pytest.raises(ManifestError, match="manifest"):
        Manifest.from_json(text)


def test_an_entry_whose_header_is_damaged_ends_in_a_short_line(tmp_path):
    path = tmp_path / "damaged.tflite"
    buffer = io.BytesIO(FLATBUFFER)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("edgeseg.json", "{" + " " * 5000 + "}")
    content = bytearray(buffer.getvalue())
    length = content.index(b"PK\x03\x04") + 26  # of the name, in the local header
    content[length : length + 2] = (4000).to_bytes(2, "little")
    path.write_bytes(content)
    with pytest.raises(ManifestError, match="damaged") as caught:
        stored_manifest(path)
    assert len(str(caught.value)) < 300 + len(str(path))


def test_an_entry_of_unreasonable_size_is_refused(tmp_path):
    path = tmp_path / "bomb.tflite"
    buffer = io.BytesIO(FLATBUFFER)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("edgeseg.json", b" " * (1 << 21))
    path.write_bytes(buffer.getvalue())
    with pytest.raises(ManifestError, match="no manifest"):
        stored_manifest(path)


def test_a_foreign_files_label_list_is_found(tmp_path):
    path = tmp_path / "foreign.tflite"
    buffer = io.BytesIO(FLATBUFFER)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("labelmap.txt", "background\ncat\n")
    path.write_bytes(buffer.getvalue())
    assert stored_labels(path) == ("background", "cat")
    assert stored_manifest(path) is None


def test_a_manifest_of_another_size_contradicts_its_model(golden_model, tmp_path):
    path = tmp_path / "model.tflite"
    manifest = dataclasses.replace(stored_manifest(golden_model), input_size=(65, 65))
    path.write_bytes(append_manifest(golden_model.read_bytes(), manifest))
    with pytest.raises(ManifestError, match="65x65, the model takes 129x129"):
        Segmenter.open(path)


def test_overrides_replace_what_they_name_and_nothing_else(tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("a\nb\n")
    manifest = Manifest(labels=("x",), pad=3)
    changed = Overrides(str(names), (1.0, 2.0), True, True).apply(manifest)
    assert changed == dataclasses.replace(
        manifest,
        labels=("a", "b"),
        palette=voc_palette(2),
        mean=(1.0,) * 3,
        std=(2.0,) * 3,
        channels="bgr",
        fit="stretch",
    )
    assert Overrides().apply(manifest) == manifest


def test_known_label_sets():
    counts = {name: len(load_labels(name).labels) for name in known_label_sets()}
    assert counts == {
        "pascal-voc": 21,
        "cityscapes": 19,
        "ade20k": 150,
        "ade20k-mlperf32": 32,
    }
    for name in counts:
        label_set = load_labels(name)
        assert len(label_set.palette) == len(label_set.labels)
        assert len(set(label_set.labels)) == len(label_set.labels)
    assert load_labels("pascal-voc").palette == voc_palette(21)
    ade, small = load_labels("ade20k"), load_labels("ade20k-mlperf32")
    assert small.labels[1:] == ade.labels[:31]


def test_a_list_of_known_names_gets_their_colours():
    names = load_labels("cityscapes").labels
    spelt_otherwise = tuple(name.upper().replace(" ", "_") for name in names)
    assert label_set_of(spelt_otherwise).palette == load_labels("cityscapes").palette


def test_only_a_class_that_means_nothing_is_background():
    assert background_ids(load_labels("pascal-voc").labels) == (0,)
    assert background_ids(load_labels("cityscapes").labels) == ()
    assert background_ids(load_labels("ade20k-mlperf32").labels) == (0,)


@pytest.mark.parametrize("content", ["", "a\n\nb\n", "x\n" * 257])
def test_label_files_with_gaps_or_too_many_names_are_refused(content, tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text(content)
    with pytest.raises(InputError, match="class names"):
        load_labels(str(path))


def test_a_label_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match="cannot read labels"):
        load_labels(str(path))
