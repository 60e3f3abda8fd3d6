"""Rockchip's toolkit: stand-ins for what it should not do, the real one if there.

The stand-in is the Python of an environment. It takes what the worker takes, prints a
table of layers as version 2.5 was seen to, and leaves the worker's files.
"""

from __future__ import annotations

import json
import stat
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from onnx_networks import stepped_network
from rknn_files import rknn_file

from edgeseg.converter.commands.compile import compile_command
from edgeseg.converter.compilation.compile import compile_model, targets
from edgeseg.converter.compilation.contract import Request
from edgeseg.converter.compilation.rockchip import worker
from edgeseg.converter.compilers.rockchip import (
    VARIABLE,
    RockchipCompiler,
    read_layers,
)
from edgeseg.devices import (
    ConversionError,
    InputError,
    MissingDriverError,
    ModelError,
    OutputError,
)
from edgeseg.devices.rknn_file import parse_rknn
from edgeseg.runtime import Manifest, Segmenter

onnx = pytest.importorskip("onnx", reason="needs the extra onnx")
pytest.importorskip("onnxruntime", reason="needs the extra onnx")

TABLE = (
    "\x1b[1;33mI OpFusing 0: 100%|##| 100/100\x1b[0m\r"
    "D RKNN: [18:48:11.870] ID   OpType      DataType Target InputShape\n"
    "D RKNN: [18:48:11.870] 0    InputOperator  INT8  NPU    \\ (1,3,16,24)\n"
    "D RKNN: [18:48:11.870] 1    Conv        INT8     NPU    (1,3,16,24),(4,3,2,2)\n"
    "D RKNN: [18:48:11.870] 2    Conv        INT8     NPU    (1,4,8,12),(3,4,1,1)\n"
    "D RKNN: [18:48:11.870] 3    Gather      FLOAT16  CPU    (1,3,8,12)\n"
    "D RKNN: [18:48:11.870] 4    OutputOperator FLOAT16 CPU  (1,3,8,12)  \\\n"
    "D RKNN: [18:48:11.932] 2    Conv  weights  INT8  (3,4,1,1) | 0x00\n"
)
PYTHON = """#!{python}
import json, os, pathlib, sys, time
import numpy as np
if sys.argv[2] == '--version':
    print({version!r}); sys.exit()
folder = pathlib.Path(sys.argv[2])
job = json.loads((folder / 'job.json').read_text())
pixels = np.load(folder / 'pictures.npy')
made = {made!r}
table = {table!r}
{body}
import onnxruntime
session = onnxruntime.InferenceSession(str(folder / 'network.onnx'))
real = (pixels - np.array(job['mean'])) / np.array(job['std'])
answers = [session.run(None, {{'image': one[None].astype(np.float32)}})[0]
           for one in real]
answers = np.concatenate(answers).transpose(0, 3, 1, 2)
{after}
print(table)
(folder / 'made.rknn').write_bytes(made)
np.save(folder / 'answers.npy', answers)
"""


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(stepped_network())
    return path


@pytest.fixture
def toolkit(tmp_path, monkeypatch):
    """Return a function that installs an environment."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "rknn"))

    def install(
        *,
        body="",
        after="",
        version="rknn-toolkit2 2.5.0",
        made=None,
        table=TABLE,
    ):
        python = tmp_path / "rknn" / "bin" / "python"
        python.parent.mkdir(parents=True, exist_ok=True)
        text = PYTHON.format(
            python=sys.executable,
            version=version,
            made=rknn_file() if made is None else made,
            table=table,
            body=body,
            after=after,
        )
        python.write_text(text)
        python.chmod(python.stat().st_mode | stat.S_IXUSR)

    return install


def test_a_network_is_compiled_and_compared(toolkit, model):
    toolkit()
    result = compile_model(model, "rk3588")
    assert result.path == model.parent / "net_rknn.rknn"
    assert parse_rknn(result.path.read_bytes(), "it").chips == ("rk3588",)
    answer = result.answer
    assert answer.version == "2.5.0"
    assert answer.agreement == pytest.approx(1, abs=0.02)
    assert (answer.mapped, answer.total) == (2, 3)
    assert [(r.op, r.count, r.status, r.mapped) for r in answer.rows] == [
        ("Conv", 2, "int8", True),
        ("Gather", 1, "float16", False),
    ]
    beside = Manifest.from_json((model.parent / "net_rknn.rknn.json").read_text())
    assert beside.labels == ("background", "cat", "dog")
    assert (beside.mean, beside.std) == ((0.0,) * 3, (1.0,) * 3)
    json.dumps(result.to_dict())


def test_the_command_says_what_was_made(toolkit, model):
    toolkit()
    run = CliRunner().invoke(compile_command, [str(model), "--device", "rk3588"])
    assert run.exit_code == 0, run.output
    assert "rknn-toolkit2 2.5.0 for rk3588: 2 of 3 operators mapped" in run.output
    assert "on the CPU: 1 Gather" in run.output
    assert "of the file's classes in the simulator" in run.output
    assert "labels in net_rknn.rknn.json" in run.output


def test_every_processor_is_a_target():
    assert {"rk3562", "rk3566", "rk3568", "rk3576", "rk3588"} <= set(targets())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"body": "sys.exit(3)"}, "it ended with status 3 and left no answers"),
        ({"body": "os.kill(os.getpid(), 11)"}, "was ended by SIGSEGV"),
        ({"body": "raise ValueError('no such net')"}, "no such net .*status 1"),
        (
            {
                "body": r"print('\x1b[31mE\x1b[0m build: Gelu is not taken')"
                "; sys.exit(1)"
            },
            r"Gelu is not taken \(ended with status 1\)",
        ),
        ({"after": "sys.exit()"}, "ended with status 0 and left no answers"),
        ({"after": "answers = -answers"}, "keeps .* of the classes of the file"),
        ({"after": "answers = answers[:, :2]"}, r"answers \(16, 8, 12, 2\), the file"),
        ({"after": "answers = answers[0]"}, "the compiled network answers"),
        ({"after": "answers = answers.astype(int)"}, "answers that are no float32"),
        ({"after": "answers = np.array(['x'], object)"}, "no answers that can be read"),
        ({"made": b""}, "made an empty file"),
        ({"made": b"TFL3 and more"}, r"what it made is no \.rknn file"),
        ({"made": rknn_file()[:-5]}, "what it made is damaged"),
        ({"made": rknn_file(chips=["rk3566"])}, "for rk3566, not rk3588"),
        ({"table": ""}, "no table of layers"),
        ({"table": TABLE.replace("NPU", "CPU")}, "mapped none of the 3 operators"),
    ],
)
def test_a_failure_or_nonsense_is_one_line_and_no_file(
    options, message, toolkit, model
):
    toolkit(**options)
    with pytest.raises(ConversionError, match=message) as caught:
        compile_model(model, "rk3588")
    assert "\n" not in str(caught.value)
    assert sorted(p.name for p in model.parent.iterdir()) == ["net.onnx", "rknn"]


@pytest.mark.parametrize("version", ["", "rknn-toolkit2 2.3.2", "2.5.0", "x\ny\nz"])
def test_a_version_that_is_not_known(version, toolkit, model):
    toolkit(version=version)
    with pytest.raises(ConversionError, match=r"expected 2\.5 or later") as caught:
        compile_model(model, "rk3588")
    assert "\n" not in str(caught.value)


def test_one_that_hangs_is_stopped(toolkit, model):
    toolkit(body="time.sleep(90)")
    with pytest.raises(ConversionError, match="took over 4 s and was stopped"):
        compile_model(model, "rk3588", timeout_s=4)


def test_what_is_missing_is_named(toolkit, model, monkeypatch, tmp_path):
    with pytest.raises(MissingDriverError, match=r"names .*no bin/python"):
        compile_model(model, "rk3588")
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(MissingDriverError, match="pip install rknn-toolkit2"):
        compile_model(model, "rk3588")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "rknn" / "bin" / "python"))
    toolkit(body="raise ModuleNotFoundError(\"No module named 'rknn'\")")
    with pytest.raises(MissingDriverError, match="lacks rknn: pip install"):
        compile_model(model, "rk3588")
    toolkit(version=f"importlib.metadata.{PACKAGE_MISSING}")
    with pytest.raises(MissingDriverError, match="lacks rknn-toolkit2: pip install"):
        compile_model(model, "rk3588")


PACKAGE_MISSING = (
    "PackageNotFoundError: No package metadata was found for rknn-toolkit2"
)


def test_what_cannot_be_compiled(toolkit, model, golden_model):
    toolkit()
    with pytest.raises(ModelError, match=r"takes \.onnx files.*--for onnxruntime"):
        compile_model(golden_model, "rk3588")
    with pytest.raises(InputError, match=r"does not say which chip.*rk3562"):
        compile_model(model, "rockchip")
    with pytest.raises(InputError, match="--calibration means nothing to rknn"):
        compile_model(model, "rk3588", request=Request(calibration=model.parent))
    with pytest.raises(ModelError, match="cannot read model"):
        compile_model(model.with_name("nowhere.onnx"), "rk3588")
    model.write_bytes(stepped_network(steps=False))
    with pytest.raises(ConversionError, match=r"no int8 steps: .* --recipe int8"):
        compile_model(model, "rk3588")
    model.write_bytes(b"nonsense, QuantizeLinear")
    with pytest.raises(ModelError):
        compile_model(model, "rk3588")
    assert not list(model.parent.glob("*.rknn*"))


def test_a_full_disk_is_named(full_disk, toolkit, model, monkeypatch):
    toolkit()
    monkeypatch.setenv("TMPDIR", str(full_disk))
    monkeypatch.setattr("tempfile.tempdir", None)
    with pytest.raises(OutputError, match=r"[Nn]o (space|room)"):
        compile_model(model, "rk3588")


def test_both_ends_become_channels_first_and_answers_stay(model, tmp_path):
    import onnxruntime

    turned = onnx.load(str(model))
    worker.make_channels_first(turned)
    onnx.checker.check_model(turned, full_check=True)
    assert "Transpose" not in {node.op_type for node in turned.graph.node}
    path = tmp_path / "turned.onnx"
    onnx.save(turned, str(path))
    picture = np.random.default_rng(1).uniform(-1, 1, (1, 16, 24, 3))
    picture = picture.astype(np.float32)
    with Segmenter.open(model, device="desktop:onnx") as segmenter:
        expected = segmenter.infer(picture)
    session = onnxruntime.InferenceSession(str(path))
    (found,) = session.run(None, {"image": picture.transpose(0, 3, 1, 2)})
    np.testing.assert_allclose(found.transpose(0, 2, 3, 1), expected, atol=1e-5)


def test_a_network_of_class_ids_is_refused():
    with pytest.raises(ValueError, match="ends in ArgMax, expected scores"):
        worker.make_channels_first(
            onnx.load_from_string(stepped_network(ends="labels"))
        )


def test_a_table_of_another_form_is_refused():
    with pytest.raises(ConversionError, match="no table of layers"):
        read_layers("D RKNN: [1] 3 Conv NPU")


@pytest.mark.long
@pytest.mark.parametrize("chip", ["rk3566", "rk3588"])
def test_the_real_toolkit(chip, model, tmp_path, monkeypatch):
    try:
        RockchipCompiler().find()
    except MissingDriverError as error:
        pytest.skip(str(error))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    result = compile_model(model, chip, timeout_s=1200)
    assert not list((tmp_path / "here").iterdir())
    assert result.answer.agreement > 0.9
    found = parse_rknn(result.path.read_bytes(), "it")
    assert found.chips == (chip,)
    assert found.inputs[0].shape == (1, 3, 16, 24)
    assert found.outputs[0].shape == (1, 3, 8, 12)
