"""What is written for Hailo's compiler; the compiler itself is not to be had here."""

from __future__ import annotations

import numpy as np
import pytest

from edgeseg.converter import convert
from edgeseg.converter.conversion.hailo_files import script_of
from edgeseg.devices import InputError, open_device
from edgeseg.runtime import Manifest


def test_the_script_normalizes_on_the_chip():
    manifest = Manifest(mean=(1, 2, 3.5), std=(4, 5, 6))
    assert script_of(manifest, 64).splitlines()[0] == (
        "normalization1 = normalization([1.0, 2.0, 3.5], [4.0, 5.0, 6.0])"
    )


@pytest.mark.parametrize(
    ("output", "options", "message"),
    [
        ("out.tflite", {}, r"-o model\.onnx"),
        ("out.onnx", {"head": "labels"}, "leave --head labels out"),
        ("out.onnx", {"calibration": None}, "needs --calibration with a folder"),
    ],
)
def test_what_has_no_meaning_is_refused(output, options, message, root, tmp_path):
    given = {"calibration": tmp_path, **options}
    with pytest.raises(InputError, match=message):
        convert(
            root / "tests/golden/shapes.keras",
            output=tmp_path / output,
            runtime="hailo",
            **given,
        )
    assert not (tmp_path / output).exists()


@pytest.mark.long
def test_the_files_belong_together(root, calibration, tmp_path):
    pytest.importorskip("onnxruntime")
    made = convert(
        root / "tests/golden/shapes.keras",
        output=tmp_path / "net.onnx",
        calibration=calibration,
        runtime="hailo",
    )
    assert made.path == tmp_path / "net.onnx"
    pixels = np.load(tmp_path / "net.calibration.npy")
    assert pixels.dtype == np.uint8
    assert pixels.shape[3] == 3
    assert f"calibset_size={len(pixels)}" in (tmp_path / "net.alls").read_text()
    beside = Manifest.from_json((tmp_path / "net.hef.json").read_text())
    assert (beside.mean, beside.std) == ((0.0,) * 3, (1.0,) * 3)
    with open_device("desktop:onnx", made.path) as device:
        shape = device.inputs[0].shape
        assert shape == (1, 3, *pixels.shape[1:3])
        assert device.outputs[0].shape[1] < device.outputs[0].shape[2]
