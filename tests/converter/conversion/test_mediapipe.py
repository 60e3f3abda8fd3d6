"""Files with TFLite Metadata in the real MediaPipe: labels, masks, refusals."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert.tools", reason="needs the extra `convert`")

from graphs import Drawing, convolution
from readmes import Readme

from edgeseg.converter.conversion.mediapipe import mediapipe_obstacle
from edgeseg.converter.conversion.tflite_metadata import with_metadata
from edgeseg.converter.quantization.heads import join_argmax, set_interface
from edgeseg.runtime import Manifest, Overrides, Segmenter
from edgeseg.runtime.model.embedded import (
    stored_labels,
    stored_manifest,
    without_manifest,
)
from edgeseg.runtime.model.inspection import read_graph
from edgeseg.runtime.pictures.files import read_picture, write_picture
from edgeseg.runtime.shipped import model_file, photo_folder

PHOTO = photo_folder() / "cat.jpg"
LABELS = ("background", "cat", "dog")
IMAGENET = {"mean": (123.675, 116.28, 103.53), "std": (58.395, 57.12, 57.375)}


def animals(path, io):
    """Write the model that ships with another type of input and scores."""
    content = without_manifest(model_file().read_bytes())
    manifest = stored_manifest(model_file())
    path.write_bytes(with_metadata(set_interface(content, io), manifest))
    return path


def network(classes=3, *, colours=3, end=None, ids=False):
    """Draw a float network of one 1x1 convolution, and an operator behind it."""
    rng = np.random.default_rng(3)
    draw = Drawing()
    image = draw.image((1, 32, 48, colours))
    kernel = rng.normal(size=(classes, 1, 1, colours))
    shape = (1, 32, 48, classes)
    scores = convolution(draw, image, kernel, np.zeros(classes), shape)
    if end == "SOFTMAX":
        scores = draw.apply(end, [scores], shape, table="SoftmaxOptionsT", beta=1.0)
    elif end is not None:
        scores = draw.apply(end, [scores], shape)
    content = draw.content(scores)
    return join_argmax(content) if ids else content


def write(path, content, **values):
    path.write_bytes(with_metadata(content, Manifest(input_size=(32, 48), **values)))
    return path


def segment(model, photo=PHOTO):
    """Return labels, category mask and confidences, ``(C, H, W)``, of MediaPipe."""
    vision = pytest.importorskip("mediapipe.tasks.python.vision", reason="MediaPipe")
    import mediapipe
    from mediapipe.tasks.python import BaseOptions

    options = vision.ImageSegmenterOptions(
        base_options=BaseOptions(model_asset_path=str(model)), output_category_mask=True
    )
    with vision.ImageSegmenter.create_from_options(options) as segmenter:
        found = segmenter.segment(mediapipe.Image.create_from_file(str(photo)))
        scores = [mask.numpy_view().squeeze(-1) for mask in found.confidence_masks]
        mask = found.category_mask.numpy_view().squeeze(-1)
        return segmenter.labels, mask.copy(), np.stack(scores)


@pytest.mark.parametrize("io", ["uint8", "float32"])
def test_mediapipe_finds_what_edgeseg_finds(io, tmp_path):
    model = animals(tmp_path / "animals.tflite", io)
    labels, mask, scores = segment(model)
    with Segmenter.open(model, overrides=Overrides(stretch=True)) as segmenter:
        assert tuple(labels) == segmenter.manifest.labels
        ids = segmenter.segment(read_picture(PHOTO)).ids
    assert len(np.unique(ids)) > 1
    assert (mask == ids).mean() > 0.98
    np.testing.assert_allclose(scores.sum(axis=0), 1, atol=1e-3)


def test_mediapipe_wants_another_type_than_int8(tmp_path):
    model = animals(tmp_path / "animals.tflite", "int8")
    with pytest.raises(ValueError, match="uint8/float32"):
        segment(model)
    obstacle = mediapipe_obstacle(read_graph(model), stored_manifest(model))
    assert obstacle.text.endswith("take --io uint8")


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        (('Straße, "q"', "猫 🐈", "a/b\\c;"), ['Straße, "q"', "猫 🐈", "a/b\\c;"]),
        (("a\nb", "c\r", ""), ["a b", "c", "class 2"]),
        ((), []),
        (("same", "same", "x" * 300), ["same", "same", "x" * 300]),
    ],
)
def test_every_label_stays_in_its_line(labels, shown, tmp_path):
    model = write(tmp_path / "model.tflite", network(), labels=labels)
    assert stored_manifest(model).labels == labels
    assert list(stored_labels(model)) == shown
    assert segment(model)[0] == shown


def test_21_classes(tmp_path):
    labels = tuple(f"class {i}" for i in range(21))
    model = write(tmp_path / "model.tflite", network(21), labels=labels)
    # of the input's size, so that nobody's interpolation makes a difference
    frame = np.random.default_rng(1).integers(0, 256, (32, 48, 3), np.uint8)
    write_picture(tmp_path / "frame.png", frame)
    found, mask, scores = segment(model, tmp_path / "frame.png")
    assert tuple(found) == labels
    assert len(scores) == 21
    with Segmenter.open(model) as segmenter:
        ids = segmenter.segment(frame).ids
    assert len(np.unique(mask)) > 5
    np.testing.assert_array_equal(mask, ids)


@pytest.mark.parametrize("end", [None, "SOFTMAX", "LOGISTIC"])
def test_scores_become_probabilities_once(end, tmp_path):
    scores = segment(write(tmp_path / "model.tflite", network(end=end)))[2]
    plain = segment(write(tmp_path / "plain.tflite", network()))[2]
    assert scores.min() >= 0
    assert scores.max() <= 1
    if end != "LOGISTIC":
        np.testing.assert_allclose(scores, plain, atol=1e-5)


@pytest.mark.parametrize("end", [None, "LOGISTIC"])
@pytest.mark.parametrize("labels", [("background", "crack"), ("crack",)])
def test_a_single_channel_is_that_of_class_1(end, labels, tmp_path):
    model = write(tmp_path / "model.tflite", network(1, end=end), labels=labels)
    found, mask, scores = segment(model)
    assert found == ["crack"]
    assert stored_manifest(model).labels == labels
    assert 0.2 < scores.min() < scores.max() < 1
    with Segmenter.open(model, overrides=Overrides(stretch=True)) as segmenter:
        ids = segmenter.segment(read_picture(PHOTO)).ids
    assert ((mask == 0) == (ids == 1)).mean() > 0.98
    assert set(np.unique(mask)) <= {0, 255}


@pytest.mark.parametrize(
    ("content", "values", "says", "said"),
    [
        (network(ids=True), {}, "color space", "class ids"),
        (network(colours=4), {}, "color space", "pictures"),
        (network(colours=1), {}, "channels", "pictures"),
        (network(), {"channels": "bgr"}, "color space", "BGR"),
        (network(), IMAGENET, "Per-channel", "--io uint8"),
    ],
)
def test_what_would_be_misread_is_refused(content, values, says, said, tmp_path):
    model = write(tmp_path / "model.tflite", content, labels=LABELS, **values)
    obstacle = mediapipe_obstacle(read_graph(model), stored_manifest(model))
    assert said in obstacle.text
    with pytest.raises((ValueError, NotImplementedError), match=says):
        segment(model)


def test_a_file_is_the_same_every_time_and_once_more(tmp_path):
    first, second = (animals(tmp_path / f"{i}.tflite", "uint8") for i in range(2))
    assert first.read_bytes() == second.read_bytes()
    again = with_metadata(first.read_bytes(), stored_manifest(first))
    assert again == first.read_bytes()


def test_the_lines_in_the_readme(root, tmp_path, monkeypatch):
    pytest.importorskip("mediapipe", reason="MediaPipe")
    chapter = Readme(root / "converter" / "README.md").section(
        "Android, iOS, MediaPipe"
    )
    (code,) = chapter.blocks("python")
    model = animals(tmp_path / "model.tflite", "uint8")
    (tmp_path / "photo.jpg").write_bytes(PHOTO.read_bytes())
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(code, names)
    with Segmenter.open(model) as segmenter:
        ids = segmenter.segment(read_picture(PHOTO)).ids
        assert names["segmenter"].labels == list(segmenter.manifest.labels)
    assert (names["mask"] == ids).mean() > 0.98
