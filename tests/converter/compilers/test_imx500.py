"""Sony's tools for the IMX500: stand-ins for what they should not do, real if there.

The stand-ins take the options and leave the files that the real ones (converter 3.19,
toolkit 2.5) were seen to take and to leave.
"""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from graphs import Drawing, convolution

from edgeseg.converter.commands.compile import compile_command
from edgeseg.converter.compilation.compile import compile_model
from edgeseg.converter.compilation.contract import Request
from edgeseg.converter.compilation.imx500 import worker
from edgeseg.converter.compilation.imx500.network import write_network
from edgeseg.converter.compilers.imx500 import VARIABLE, Imx500Compiler
from edgeseg.devices import (
    ConversionError,
    InputError,
    MissingDriverError,
    OutputError,
    open_device,
)
from edgeseg.runtime import Manifest
from edgeseg.runtime.model.embedded import append_manifest

REPORT = {
    "Memory Report": {
        "Name": "quantized",
        "Runtime Memory Physical Size": "5.21MB",
        "Model Memory Physical Size": "512.00KB",
        "Memory Usage": "5.71MB",
        "Total Memory Available On Chip": "8.00MB",
        "Fit In Chip": True,
    }
}
TOO_LARGE = json.dumps(REPORT).replace("true", "false").replace("5.71MB", "9.00MB")
PYTHON = """
folder = pathlib.Path(sys.argv[2])
{body}
one = np.load(folder / 'answer.npy')
count = min(16, len(np.load(folder / 'pictures.npy', mmap_mode='r')))
np.save(folder / 'float.npy', np.concatenate([one] * count))
np.save(folder / 'quantized.npy', np.concatenate([one] * count))
(folder / 'quantized.keras').write_text('network')
(folder / 'tools.json').write_text('{{"model-compression-toolkit": "2.5.1"}}')
{after}
"""
CONVERTER = """
if '--version' in sys.argv:
    print({version!r}); sys.exit()
assert '--no-input-persistency' in sys.argv
out = pathlib.Path(sys.argv[sys.argv.index('-o') + 1])
assert pathlib.Path(sys.argv[sys.argv.index('-i') + 1]).read_text() == 'network'
out.mkdir()
report = out / 'quantized_MemoryReport.json'
report.write_text({report!r})
{body}
(out / 'packerOut.zip').write_bytes(b'PK of a sensor')
"""


def network(*, resize="corners", act=0):
    """Return a float network of every kind of layer that DeepLab has."""
    random = np.random.default_rng(3)
    draw = Drawing()
    image = draw.image((1, 33, 33, 3))
    first = convolution(
        draw,
        image,
        random.normal(size=(8, 3, 3, 3)),
        random.normal(size=8),
        (1, 17, 17, 8),
        stride=2,
    )
    first = draw.apply("RELU6", [first], (1, 17, 17, 8))
    deep = convolution(
        draw,
        first,
        random.normal(size=(1, 3, 3, 8)),
        random.normal(size=8),
        (1, 17, 17, 8),
        dilation=2,
        depthwise=True,
    )
    joined = draw.apply(
        "ADD",
        [first, deep],
        (1, 17, 17, 8),
        table="AddOptionsT",
        fusedActivationFunction=act,
    )
    axes = draw.constant(np.array([1, 2], np.int32))
    mean = draw.apply(
        "MEAN", [joined], (1, 1, 1, 8), table="ReducerOptionsT", keepDims=True
    )
    draw.flat.graph.operators[-1].inputs = [joined, axes]
    size = draw.constant(np.array([17, 17], np.int32))
    wide = draw.apply(
        "RESIZE_BILINEAR",
        [mean, size],
        (1, 17, 17, 8),
        table="ResizeBilinearOptionsT",
        alignCorners=True,
    )
    both = draw.apply(
        "CONCATENATION",
        [joined, wide],
        (1, 17, 17, 16),
        table="ConcatenationOptionsT",
        axis=3,
    )
    scores = convolution(
        draw,
        both,
        random.normal(size=(4, 1, 1, 16)),
        random.normal(size=4),
        (1, 17, 17, 4),
    )
    length = 33 if resize == "corners" else 40
    size = draw.constant(np.array([length, length], np.int32))
    grid = draw.apply(
        "RESIZE_BILINEAR",
        [scores, size],
        (1, length, length, 4),
        table="ResizeBilinearOptionsT",
        alignCorners=resize != "half",
        halfPixelCenters=resize == "half",
    )
    labels = tuple(f"class {n}" for n in range(4))
    return append_manifest(draw.content(grid), Manifest(labels=labels))


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(network())
    return path


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(1)
    for index in range(32):
        small = random.integers(0, 256, (6, 6, 3)).astype(np.uint8)
        large = cv2.resize(small, (64, 48), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"{index}.png"), large)
    return folder


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Return a function that installs converter, toolkit and Java."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.delenv(VARIABLE, raising=False)

    def write(name, text):
        path = folder / name
        head = f"#!{sys.executable}\nimport os, pathlib, sys, time\n"
        path.write_text(head + "import numpy as np\n" * (name == "python") + text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def install(
        *,
        body="",
        after="",
        convert="",
        report=None,
        java=True,
        version="imxconv-tf 3.19.2",
    ):
        report = json.dumps(REPORT) if report is None else report
        write("python", PYTHON.format(body=body, after=after))
        write(
            "imxconv-tf",
            CONVERTER.format(version=version, report=report, body=convert),
        )
        if java:
            write("java", "")

    return install


def compiled(model, photos, **options):
    request = Request(calibration=photos)
    return compile_model(model, "imx500", request=request, **options)


def test_a_network_is_quantized_and_laid_out(tools, model, photos):
    tools()
    result = compiled(model, photos)
    assert result.path == model.parent / "net_imx500.zip"
    assert result.path.read_bytes() == b"PK of a sensor"
    answer = result.answer
    assert answer.memory.fits
    assert answer.memory.weights_kib == 512
    assert answer.memory.available_kib == 8192
    assert answer.agreement == 1
    assert answer.version == "3.19.2, model-compression-toolkit 2.5.1"
    assert {row.op for row in answer.rows} >= {"CONV_2D", "MEAN", "RESIZE_BILINEAR"}
    json.dumps(result.to_dict())


def test_the_command_says_what_it_needs(tools, model, photos):
    tools()
    arguments = [str(model), "--device", "imx500", "--calibration", str(photos)]
    run = CliRunner().invoke(compile_command, arguments)
    assert run.exit_code == 0, run.output
    assert "memory: 5847 of 8192 KiB (71%)" in run.output
    assert "keeps 100.00%" in run.output
    assert "labels stay with the model" in run.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"body": "sys.exit(3)"}, "Sony's quantizer: it ended with status 3"),
        ({"body": "os.kill(os.getpid(), 11)"}, "was ended by SIGSEGV"),
        (
            {"body": "raise ValueError('no tensors')"},
            r"Sony's quantizer: no tensors \(ended with status 1\)",
        ),
        (
            {"after": "np.save(folder / 'float.npy', one + 9)"},
            "does not answer like the file",
        ),
        (
            {"after": "np.save(folder / 'float.npy', one[:, :2])"},
            "toolkit's environment answers",
        ),
        (
            {
                "after": "np.save(folder / 'quantized.npy', "
                "-np.concatenate([one] * count))"
            },
            "keeps .* of the classes of the float network",
        ),
        (
            {"after": "(folder / 'quantized.npy').write_text('nonsense')"},
            "no answers that can be read",
        ),
        ({"after": "(folder / 'tools.json').write_text('x')"}, "say its version"),
        ({"after": "(folder / 'quantized.keras').unlink()"}, "it made no file"),
        (
            {
                "convert": "print('2026-11-29 15:12:45.048 ERROR : CODE: [EXEC] "
                "no layer for it [/a/b.py:191]'); sys.exit(1)"
            },
            r"imxconv-tf: no layer for it \(ended with status 1\)",
        ),
        ({"convert": "sys.exit()"}, "imxconv-tf: it made no file"),
        ({"convert": "report.unlink()"}, "wrote no memory report"),
        ({"report": "{}"}, "memory report is of a form that is not known"),
        ({"report": "[" * 9}, "memory report is of a form that is not known"),
        (
            {"report": json.dumps(REPORT).replace("5.21MB", "much")},
            "memory report is of a form that is not known",
        ),
        (
            {"report": TOO_LARGE, "convert": "sys.exit(1)"},
            r"needs 9216 KiB of the sensor's 8192 .* smaller --size",
        ),
    ],
)
def test_a_failure_or_nonsense_is_one_line_and_no_file(
    options, message, tools, model, photos
):
    tools(**options)
    with pytest.raises(ConversionError, match=message) as caught:
        compiled(model, photos)
    assert str(caught.value).startswith("imxconv-tf cannot compile net.tflite: ")
    assert "\n" not in str(caught.value)
    assert sorted(p.name for p in model.parent.iterdir()) == ["bin", "net.tflite"]


@pytest.mark.parametrize("version", ["", "imxconv-tf 2.0.1", "3.19.2", "x\ny\nz"])
def test_a_version_that_is_not_known(version, tools, model, photos):
    tools(version=version)
    with pytest.raises(ConversionError, match=r"expected 3\.19 or later") as caught:
        compiled(model, photos)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("where", ["body", "convert"])
def test_one_that_hangs_is_stopped(where, tools, model, photos):
    tools(**{where: "time.sleep(90)"})
    with pytest.raises(ConversionError, match="took over 5 s and was stopped"):
        compiled(model, photos, timeout_s=5)


def test_what_is_missing_is_named(tools, model, photos, monkeypatch, tmp_path):
    with pytest.raises(MissingDriverError, match=r"bin/pip install .*imx500-conv"):
        compiled(model, photos)
    tools(java=False)
    with pytest.raises(MissingDriverError, match="needs Java"):
        compiled(model, photos)
    tools(body="raise ModuleNotFoundError(\"No module named 'tensorflow'\")")
    with pytest.raises(MissingDriverError, match="lacks tensorflow: pip install"):
        compiled(model, photos)
    (tmp_path / "bin" / "python").unlink()
    with pytest.raises(MissingDriverError, match="no python beside it"):
        compiled(model, photos)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(MissingDriverError, match=f"{VARIABLE} names .*nowhere"):
        compiled(model, photos)


def test_what_cannot_be_compiled(tools, model, photos, golden_model, tmp_path):
    tools()
    with pytest.raises(InputError, match="--calibration is missing"):
        compile_model(model, "imx500")
    with pytest.raises(InputError, match="no calibration folder"):
        compiled(model, tmp_path / "nowhere")
    with pytest.raises(InputError, match="--memory-mode means nothing to imxconv-tf"):
        compile_model(model, "imx500", request=Request(memory_mode="x"))
    with pytest.raises(ConversionError, match=r"float network, .*--recipe float32"):
        compiled(golden_model, photos, output=tmp_path / "out.zip")
    model.write_bytes(network(resize="odd"))
    with pytest.raises(ConversionError, match=r"RESIZE_BILINEAR: 17x17 to 40x40"):
        compiled(model, photos)
    model.write_bytes(network(act=4))
    with pytest.raises(ConversionError, match="its activation is tanh"):
        compiled(model, photos)


def test_a_full_disk_is_named(full_disk, tools, model, photos, monkeypatch):
    tools()
    monkeypatch.setenv("TMPDIR", str(full_disk))
    monkeypatch.setattr("tempfile.tempdir", None)
    with pytest.raises(OutputError, match=r"[Nn]o (space|room)"):
        compiled(model, photos)


def test_the_sensor_is_no_device_for_tensors(model):
    with pytest.raises(MissingDriverError, match=r"run net\.tflite imx500:NETWORK"):
        open_device("imx500", model)


@pytest.mark.long
@pytest.mark.parametrize("resize", ["corners", "half"])
def test_the_network_that_is_built_again_answers_the_same(resize, tmp_path):
    """By Keras 3 here; the toolkit's environment has Keras 2 with the same layers."""
    pytest.importorskip("keras")
    path = tmp_path / "net.tflite"
    path.write_bytes(network(resize=resize))
    write_network(path, tmp_path)
    description = json.loads((tmp_path / "network.json").read_text())
    with np.load(tmp_path / "weights.npz") as weights:
        built = worker.build(description, weights)
    picture = np.random.default_rng(5).normal(size=(1, 33, 33, 3)).astype(np.float32)
    with open_device("desktop:plain", path) as device:
        (expected,) = device.infer(picture)
    np.testing.assert_allclose(
        worker.answers(built, picture), expected, atol=1e-4 * np.abs(expected).max()
    )


@pytest.mark.long
def test_the_real_tools(photos, tmp_path):
    try:
        Imx500Compiler().find()
    except MissingDriverError as error:
        pytest.skip(str(error))
    model = Path(tmp_path / "net.tflite")
    model.write_bytes(network())
    result = compiled(model, photos, timeout_s=1200)
    assert result.answer.memory.fits
    assert result.answer.agreement > 0.8
    assert result.path.read_bytes()[:2] == b"PK"
