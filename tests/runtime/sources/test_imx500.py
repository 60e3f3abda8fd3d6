"""An AI Camera: a stand-in for Picamera2 replays what our own network answered.

The camera cannot run here. The stand-in has the calls of Picamera2's IMX500, and the
metadata its forms: a flat list of numbers, column by column, and a C structure with
the shapes.
"""

from __future__ import annotations

import json
import struct
import sys
import types

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from edgeseg.devices import InputError, MissingDriverError
from edgeseg.runtime import Segmenter
from edgeseg.runtime.capture.open import open_source
from edgeseg.runtime.capture.source import CaptureOptions
from edgeseg.runtime.cli import main
from edgeseg.runtime.pictures.files import read_picture
from edgeseg.runtime.segmentation import segmenter as segmenter_module
from edgeseg.runtime.shipped import photo_folder

pytestmark = pytest.mark.usefixtures("leaves_nothing")


def metadata_of(scores):
    """Return what libcamera hands over of scores ``(h, w, C)``."""
    info = struct.pack("<II16H", scores.size, 3, *scores.shape, *[0] * 13)
    empty = struct.pack("<II16H", 0, 0, *[0] * 16)
    head = struct.pack("<64sI", b"network", 1)
    return {
        "CnnOutputTensor": [float(x) for x in scores.ravel(order="F")],
        "CnnOutputTensorInfo": head + info + empty * 15,
    }


class Imx500:
    """The calls of ``picamera2.devices.IMX500`` that are used, and no others."""

    camera_num = 0
    input_wh = (385, 385)

    def __init__(self, network_file, camera_id=""):
        with open(network_file, "rb") as file:
            if file.read(4) != b"9464":
                raise struct.error("unpack requires a buffer of 8 bytes")
        self.is_cropped = False

    def get_input_size(self):
        return self.input_wh

    def set_auto_aspect_ratio(self):
        self.is_cropped = True

    def get_outputs(self, metadata, add_batch=False):
        flat = metadata.get("CnnOutputTensor")
        if not flat:
            return None
        info = metadata["CnnOutputTensorInfo"]
        (count,) = struct.unpack_from("<I", info, 64)
        found, offset = [], 0
        for index in range(count):
            size, rank, *shape = struct.unpack_from("<II16H", info, 68 + 40 * index)
            part = np.array(flat[offset : offset + size], np.float32)
            offset += size
            made = part.reshape(shape[:rank], order="F")
            found.append(made[None] if add_batch else made)
        return found


class Request:
    open_now = 0

    def __init__(self, frame, metadata):
        self._frame, self._metadata = frame, metadata
        Request.open_now += 1

    def get_metadata(self):
        return self._metadata

    def make_array(self, name):
        assert name == "main"
        return self._frame.copy()

    def release(self):
        Request.open_now -= 1


class Camera:
    """Replays recorded frames and answers; every other frame has no answer."""

    recorded = ()
    models = ("imx500",)

    def __init__(self, camera_num=0):
        self._turn = 0

    @classmethod
    def global_camera_info(cls):
        return [
            {"Num": n, "Model": model, "Id": f"i2c{n}"}
            for n, model in enumerate(cls.models)
        ]

    def create_video_configuration(self, main, controls, buffer_count):
        assert buffer_count > 6
        return {"main": dict(main), "controls": controls}

    def configure(self, configuration):
        self._configuration = configuration

    def camera_configuration(self):
        return self._configuration

    def start(self):
        assert self._configuration["main"]["format"] == "BGR888"

    def capture_request(self):
        self._turn += 1
        frame, scores = self.recorded[(self._turn // 2) % len(self.recorded)]
        size = self._configuration["main"]["size"]
        shown = cv2.resize(frame, size, interpolation=cv2.INTER_NEAREST)
        return Request(shown, metadata_of(scores) if self._turn % 2 else {})

    def stop(self):
        pass

    def close(self):
        pass


@pytest.fixture(scope="module")
def recorded():
    """Square photos with what `animals` answers, as real numbers."""
    found = []
    with Segmenter.open("animals") as segmenter:
        for path in sorted(photo_folder().glob("*.jpg"))[:2]:
            frame = read_picture(path)
            side = min(frame.shape[:2])
            frame = cv2.resize(frame[:side, :side], (960, 960))
            output = segmenter.infer(segmenter.tensor(frame))
            found.append((frame, segmenter.output.dequantize(output)[0]))
    return found


@pytest.fixture
def camera(monkeypatch, recorded):
    package, devices = types.ModuleType("picamera2"), types.ModuleType("devices")
    package.Picamera2, devices.IMX500 = Camera, Imx500
    monkeypatch.setattr(Camera, "recorded", recorded)
    monkeypatch.setitem(sys.modules, "picamera2", package)
    monkeypatch.setitem(sys.modules, "picamera2.devices", devices)
    monkeypatch.setattr(Request, "open_now", 0)
    return Camera


@pytest.fixture
def network(tmp_path):
    path = tmp_path / "network.rpk"
    path.write_bytes(b"9464" + bytes(60))
    return path


@pytest.mark.usefixtures("camera")
def test_frames_come_with_their_answers(network, recorded):
    with open_source(f"imx500:{network}") as source:
        captures = source.captures()
        for _ in range(4):
            capture = next(captures)
            match = [np.array_equal(capture.frame, frame) for frame, _ in recorded]
            assert sum(match) == 1
            scores = recorded[match.index(True)][1]
            np.testing.assert_array_equal(capture.output[0], scores)
        assert source.state["given_wh"] == [960, 960]
        assert source.state["network"] == str(network)
    assert Request.open_now == 0


@pytest.mark.usefixtures("camera")
def test_a_run_reads_the_camera_s_answers_and_runs_no_inference(
    network, recorded, tmp_path, monkeypatch
):
    out = tmp_path / "out"
    with Segmenter.open("animals") as segmenter:
        expected = [
            segmenter.segment(frame, answer=scores[None]).ids
            for frame, scores in recorded
        ]
        same = [
            np.mean(segmenter.segment(frame).ids == ids)
            for (frame, _), ids in zip(recorded, expected, strict=True)
        ]
    assert min(same) > 0.9999

    def infer(self, tensor):
        raise AssertionError("an inference was run")

    monkeypatch.setattr(segmenter_module.Segmenter, "infer", infer)
    arguments = ["run", "animals", f"imx500:{network}", "--frames", "2"]
    result = CliRunner().invoke(
        main, [*arguments, "-o", f"masks:{out}", "-o", str(tmp_path / "found.jsonl")]
    )
    assert result.exit_code == 0, result.output
    masks = [np.array(Image.open(path)) for path in sorted(out.iterdir())]
    assert len(masks) == 2
    for mask in masks:
        assert any(np.array_equal(mask, ids) for ids in expected)
    lines = (tmp_path / "found.jsonl").read_text().splitlines()
    assert json.loads(lines[1])["classes"]


@pytest.mark.usefixtures("camera")
def test_smoothing_works_and_a_region_is_refused(network, tmp_path):
    arguments = ["run", "animals", f"imx500:{network}", "--frames", "3"]
    arguments += ["-o", str(tmp_path / "found.jsonl")]
    result = CliRunner().invoke(main, [*arguments, "--smooth", "0.5"])
    assert result.exit_code == 0, result.output
    result = CliRunner().invoke(main, [*arguments, "--region", "0,0,0.5,0.5"])
    assert result.exit_code == 1
    assert "answered to the whole frame" in result.output


@pytest.mark.usefixtures("camera")
def test_another_model_than_the_network_s_is_refused(network, tmp_path):
    arguments = ["run", "voc", f"imx500:{network}", "-o", str(tmp_path / "found.jsonl")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "take the model that the network was compiled from" in result.output
    assert "[1, 97, 97, 7]" in result.output


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("{}", CaptureOptions(size_wh=(640, 480)), "has not the shape .* 480x480"),
        ("{}", CaptureOptions(rotate=90), "cannot be turned"),
        ("{},camera=1", CaptureOptions(), r"camera=1 \(1 AI Cameras found"),
        ("{},camera=x", CaptureOptions(), r"expected NETWORK\.rpk,camera=N"),
        ("{}.not", CaptureOptions(), "no network .*imx500-package"),
        ("", CaptureOptions(), "expected imx500:FILE"),
    ],
)
@pytest.mark.usefixtures("camera")
def test_what_cannot_be_is_told(network, text, options, message):
    with pytest.raises(InputError, match=message) as caught:
        open_source(f"imx500:{text.format(network)}", options)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("camera")
def test_a_file_that_is_no_network_is_told(network):
    network.write_bytes(b"nonsense")
    with pytest.raises(InputError, match="is it a network of imx500-package"):
        open_source(f"imx500:{network}")


@pytest.mark.usefixtures("camera")
def test_frames_that_never_have_an_answer_end_it(network, monkeypatch):
    monkeypatch.setattr(Imx500, "get_outputs", lambda self, metadata, add_batch: None)
    with pytest.raises(InputError, match="300 frames came without an answer"):
        open_source(f"imx500:{network}")
    assert Request.open_now == 0


def test_without_picamera2_the_package_is_named(network, monkeypatch):
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(MissingDriverError, match=r"imx500-all python3-picamera2"):
        open_source(f"imx500:{network}")
