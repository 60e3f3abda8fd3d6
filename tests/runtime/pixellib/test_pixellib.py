"""Programs that were written for PixelLib, with the import changed."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeseg.devices import InputError
from edgeseg.runtime import Segmenter
from edgeseg.runtime.model.labels import load_labels
from edgeseg.runtime.pixellib import (
    alter_bg,
    custom_segmentation,
    instance_custom_training,
    instance_segmentation,
    semantic_segmentation,
)
from edgeseg.runtime.shipped import model_file, photo_folder

PERSON, CAT = 15, 8  # PASCAL VOC's class ids
# what the tutorials of PixelLib show, but for the import
PICTURE = """
segment_image = semantic_segmentation()
segment_image.load_pascalvoc_model("deeplabv3_xception_tf_dim_ordering_tf_kernels.h5")
segment_image.segmentAsPascalvoc("sample1.jpg", output_image_name = "image_new.jpg")
"""
VIDEO = """
segment_video = semantic_segmentation()
segment_video.load_pascalvoc_model("deeplabv3_xception_tf_dim_ordering_tf_kernels.h5")
segment_video.process_video_pascalvoc("video_test1.avi",  overlay = True,
    frames_per_second= 5, output_video_name="output_video.mp4")
"""
BACKGROUND = """
change_bg = alter_bg(model_type = "pb")
change_bg.load_pascalvoc_model("xception_pascalvoc.pb")
change_bg.blur_bg("sample1.jpg", extreme = True, detect = "person",
    output_image_name="blur_img.jpg")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(photo_folder() / "astronaut.jpg", "sample1.jpg")
    shutil.copy(photo_folder() / "cat.jpg", "cat.jpg")
    clip(Path("video_test1.avi"), 12)
    return tmp_path


def clip(path, frames):
    picture = cv2.imread("sample1.jpg")[:320, :320]
    code = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), code, 10, picture.shape[1::-1])
    for index in range(frames):
        writer.write(np.roll(picture, 4 * index, axis=1))
    writer.release()


@pytest.fixture
def semantic():
    segment = semantic_segmentation()
    segment.load_pascalvoc_model("animals")
    return segment


@pytest.fixture
def background():
    change = alter_bg()
    change.load_pascalvoc_model("animals")
    return change


@pytest.fixture(scope="module")
def astronaut():
    """The picture in BGR, and where the model finds a person in it."""
    frame = cv2.imread(str(photo_folder() / "astronaut.jpg"))
    with Segmenter.open("animals") as segmenter:
        ids = segmenter.segment(np.ascontiguousarray(frame[..., ::-1])).ids
        person = segmenter.manifest.labels.index("person")
    return frame, ids == person


@pytest.mark.parametrize(
    ("snippet", "output"),
    [
        (PICTURE, "image_new.jpg"),
        (VIDEO, "output_video.mp4"),
        (BACKGROUND, "blur_img.jpg"),
    ],
)
def test_snippets_run_with_the_import_changed(snippet, output, folder):
    line = "from edgeseg.runtime.pixellib import alter_bg, semantic_segmentation\n"
    done = subprocess.run(
        [sys.executable, "-c", line + snippet], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "taking voc, which comes with edgeseg" in done.stderr
    there, frame = cv2.VideoCapture(output).read()
    assert there
    assert frame.std() > 10


def test_a_picture_gives_class_ids_masks_and_a_drawing(folder, semantic, astronaut):
    frame, person = astronaut
    values, drawn = semantic.segmentAsPascalvoc("sample1.jpg", overlay=True)
    assert values["class_ids"].tolist() == [0, PERSON]
    assert (values["masks"] == person).mean() > 0.999
    assert (values["ids"] == PERSON * values["masks"]).all()
    assert drawn.shape == frame.shape
    # the background stays as it is, the person is tinted; blue, green, red
    assert np.abs(drawn.astype(int) - frame)[~values["masks"]].max() == 0
    tint = load_labels("pascal-voc").palette[PERSON][::-1]
    expected = 0.3 * frame[values["masks"]] + 0.7 * np.array(tint)
    np.testing.assert_allclose(drawn[values["masks"]], expected, atol=1.01)
    plain = semantic.segmentAsPascalvoc("sample1.jpg")[1]
    assert set(map(tuple, plain.reshape(-1, 3))) == {(0, 0, 0), tint}


def test_a_frame_of_opencv_is_blue_green_red(folder, semantic, astronaut):
    frame = astronaut[0]
    by_name = semantic.segmentAsPascalvoc("sample1.jpg")[0]["ids"]
    by_frame = semantic.segmentFrameAsPascalvoc(frame, "out.png", overlay=True)
    assert (by_frame[0]["ids"] == by_name).mean() > 0.999  # two decoders of JPEG
    assert np.abs(cv2.imread("out.png").astype(int) - by_frame[1]).max() == 0
    with_alpha = np.dstack([frame, np.full(frame.shape[:2], 9, np.uint8)])
    same = semantic.segmentFrameAsPascalvoc(with_alpha)[0]["ids"]
    np.testing.assert_array_equal(same, by_frame[0]["ids"])
    with pytest.raises(InputError, match="expected a frame"):
        semantic.segmentFrameAsPascalvoc("sample1.jpg")


def test_a_video_keeps_its_speed_and_gives_its_last_frame(folder, semantic):
    values, drawn = semantic.process_video_pascalvoc(
        "video_test1.avi", overlay=True, frames_per_second=5, output_video_name="o.mp4"
    )
    video = cv2.VideoCapture("o.mp4")
    assert (video.get(cv2.CAP_PROP_FRAME_COUNT), video.get(cv2.CAP_PROP_FPS)) == (6, 5)
    assert drawn.shape == (320, 320, 3)
    assert values["ids"].shape == (320, 320)


def test_what_opencv_has_open_is_read_to_its_end_and_released(folder, semantic, capsys):
    capture = cv2.VideoCapture("video_test1.avi")
    values, _ = semantic.process_camera_pascalvoc(
        capture, check_fps=True, output_video_name="o.avi", frame_name="frame"
    )
    assert not capture.isOpened()
    assert cv2.VideoCapture("o.avi").get(cv2.CAP_PROP_FRAME_COUNT) == 12
    assert capsys.readouterr().out.strip().endswith("frames a second")
    assert 0 in values["class_ids"]
    with pytest.raises(InputError, match=r"expected a cv2\.VideoCapture that is open"):
        semantic.process_camera_pascalvoc(capture)


def away(mask, reach=95):
    """Return pixels of a mask that soft edges do not reach: 8 % of 512 either side."""
    return cv2.erode(mask.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0


def test_backgrounds_change_and_the_subject_stays(folder, background, astronaut):
    frame, person = astronaut
    inside, outside = away(person), away(~person)
    drawn = {
        "grey": background.gray_frame(frame, detect="person"),
        "colour": background.color_frame(frame, (0, 128, 255), detect="person"),
        "blur": background.blur_frame(frame, extreme=True, detect="person"),
        "picture": background.change_frame_bg(frame, "cat.jpg", detect="person"),
    }
    for picture in drawn.values():
        np.testing.assert_array_equal(picture[inside], frame[inside])
        assert (picture[outside] != frame[outside]).any(axis=1).mean() > 0.5
    assert (drawn["colour"][outside] == (255, 128, 0)).all()
    assert np.ptp(drawn["grey"][outside], axis=1).max() == 0
    cat = cv2.resize(cv2.imread("cat.jpg"), (64, 64)).mean()
    assert abs(drawn["picture"][outside].mean() - cat) < 40


def test_blur_has_three_strengths(folder, background, astronaut):
    behind = away(~astronaut[1], 41)
    sharpness = []
    for strength in ("low", "moderate", "extreme"):
        drawn = background.blur_bg("sample1.jpg", **{strength: True})
        sharpness.append(cv2.Laplacian(drawn, cv2.CV_64F)[behind].var())
    assert sharpness == sorted(sharpness, reverse=True)
    np.testing.assert_array_equal(
        background.blur_bg("sample1.jpg"),
        background.blur_bg("sample1.jpg", moderate=True),
    )


def test_pictures_and_videos_are_written(folder, background):
    background.color_bg("cat.jpg", (0, 128, 0), output_image_name="a.png")
    background.gray_bg("cat.jpg", output_image_name="b.png")
    background.change_bg_img("cat.jpg", "sample1.jpg", output_image_name="c.png")
    for name in "abc":
        assert cv2.imread(f"{name}.png").shape == cv2.imread("cat.jpg").shape
    clip(Path("short.avi"), 3)
    video = {"output_video_name": "v.avi", "frames_per_second": 10}
    for call in (
        lambda: background.gray_video("short.avi", **video),
        lambda: background.color_video("short.avi", (1, 2, 3), **video),
        lambda: background.blur_video("short.avi", low=True, **video),
        lambda: background.change_video_bg("short.avi", "cat.jpg", **video),
        lambda: background.blur_camera(cv2.VideoCapture("short.avi"), **video),
    ):
        assert call().shape == (320, 320, 3)
        assert cv2.VideoCapture("v.avi").get(cv2.CAP_PROP_FRAME_COUNT) == 3
        Path("v.avi").unlink()


def test_a_class_that_the_model_lacks_is_named(background, astronaut):
    with pytest.raises(InputError, match="unknown class 'sofa'; known: background"):
        background.gray_frame(astronaut[0], detect="sofa")
    with pytest.raises(InputError, match="colors: expected red, green, blue"):
        background.color_frame(astronaut[0], (0, 300, 0))


def test_a_converted_model_beside_is_taken(folder, caplog):
    shutil.copy(model_file(), "mine.tflite")
    segment = semantic_segmentation()
    segment.load_pascalvoc_model("mine.h5")
    assert not caplog.records
    values, _ = segment.segmentAsPascalvoc("cat.jpg")
    assert values["class_ids"].tolist() == [0, CAT]


def test_ade20k_needs_a_model_and_gives_names_and_ratios(folder):
    segment = semantic_segmentation()
    with pytest.raises(InputError, match="edgeseg fetch deeplabv3plus-mobilenetv2"):
        segment.segmentAsAde20k("cat.jpg")
    with pytest.raises(InputError, match=r"no deeplab\.tflite beside it"):
        segment.load_ade20k_model("deeplab.h5")
    shutil.copy(model_file(), "mine.tflite")
    segment.load_ade20k_model("mine.tflite")
    values, objects, drawn = segment.segmentAsAde20k(
        "cat.jpg", overlay=True, extract_segmented_objects=True
    )
    assert values["class_names"] == [each["class_name"] for each in objects]
    assert set(values["class_names"]) == {"background", "cat"}
    assert sum(values["ratios"]) == pytest.approx(100)
    assert values["ratios"] == sorted(values["ratios"], reverse=True)
    cat = next(each for each in objects if each["class_name"] == "cat")
    np.testing.assert_array_equal(cat["masks"], values["masks"])
    assert drawn.shape == cv2.imread("cat.jpg").shape


def test_models_are_asked_for(folder):
    with pytest.raises(InputError, match="call load_pascalvoc_model first"):
        semantic_segmentation().segmentAsPascalvoc("cat.jpg")
    with pytest.raises(InputError, match="call load_pascalvoc_model first"):
        alter_bg().gray_bg("cat.jpg")
    with pytest.raises(InputError, match=r"no such model file: gone\.tflite"):
        alter_bg().load_pascalvoc_model("gone.tflite")


@pytest.mark.parametrize(
    "kind", [instance_segmentation, custom_segmentation, instance_custom_training]
)
def test_what_has_no_counterpart_says_so(kind):
    with pytest.raises(InputError, match=f"{kind.__name__} has no counterpart"):
        kind(infer_speed="fast")


@pytest.mark.parametrize(
    ("ours", "module"), [(semantic_segmentation, "semantic"), (alter_bg, "tune_bg")]
)
def test_names_and_arguments_are_those_of_pixellib(ours, module):
    """Read from its source: importing it needs TensorFlow of 2021."""
    found = importlib.util.find_spec("pixellib")
    if found is None:
        pytest.skip("needs the package pixellib")
    path = Path(found.origin).parent / module / "__init__.py"
    (theirs,) = [
        node
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and node.name == ours.__name__
    ]
    for method in (n for n in theirs.body if isinstance(n, ast.FunctionDef)):
        if method.name == "target_obj":
            continue
        parameters = inspect.signature(getattr(ours, method.name)).parameters
        assert list(parameters) == [each.arg for each in method.args.args], method.name


def test_what_is_read_is_not_written_over(folder, semantic, background):
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    Path("link.jpg").symlink_to("cat.jpg")
    calls = (
        lambda: semantic.segmentAsPascalvoc("cat.jpg", output_image_name="cat.jpg"),
        lambda: background.gray_bg("cat.jpg", output_image_name="link.jpg"),
        lambda: background.change_bg_img(
            "cat.jpg", "sample1.jpg", output_image_name="sample1.jpg"
        ),
        lambda: semantic.process_video_pascalvoc(
            "video_test1.avi", output_video_name="./video_test1.avi"
        ),
    )
    for call in calls:
        with pytest.raises(InputError, match="the original would be lost"):
            call()
    assert {path: path.read_bytes() for path in before} == before
