"""Arm's Vela: the real one for what it does, stand-ins for what it should not do."""

from __future__ import annotations

import json
import shutil
import stat
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgeseg.converter.commands.compile import compile_command
from edgeseg.converter.compilation import compile as compilation
from edgeseg.converter.compilation.compile import compile_model, targets
from edgeseg.converter.compilation.contract import Request
from edgeseg.converter.compilers.ethos_u import EthosUCompiler, placement
from edgeseg.devices import (
    ConversionError,
    InputError,
    MissingDriverError,
    ModelError,
    OutputError,
)
from edgeseg.devices.placement import check_model
from edgeseg.devices.placement.reading import read_model_graph
from edgeseg.runtime.model.embedded import stored_labels, stored_manifest
from edgeseg.runtime.shipped import find_model

U65, U85 = "ethos-u65-512", "ethos-u85-512"


@pytest.fixture(scope="module")
def vela():
    try:
        return EthosUCompiler().find()
    except MissingDriverError as error:
        pytest.skip(str(error))


@pytest.fixture
def model(tmp_path, golden_model):
    return Path(shutil.copy(golden_model, tmp_path / "shapes.tflite"))


@pytest.fixture
def standin(tmp_path, monkeypatch):
    """Return a function that installs a vela with a body; it knows its version."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def install(body, version="5.2.0"):
        script = folder / "vela"
        lines = [
            f"#!{sys.executable}",
            "import os, pathlib, sys, time",
            "if '--version' in sys.argv:",
            f"    print({version!r}); sys.exit()",
            "source = pathlib.Path(sys.argv[-1])",
            "out = pathlib.Path(sys.argv[sys.argv.index('--output-dir') + 1])",
            "out.mkdir()",
            body,
        ]
        script.write_text("\n".join(lines))
        script.chmod(script.stat().st_mode | stat.S_IXUSR)

    return install


def test_a_network_with_all_its_operators_on_the_chip(vela, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = compile_model("animals", U65)
    answer, estimate = result.answer, result.answer.estimate
    assert answer.mapped == answer.total == len(answer.operators) > 50
    assert estimate.milliseconds > 0
    assert estimate.cycles == sum(op.cycles for op in answer.operators)
    assert (estimate.sram_kib > 0) & (estimate.dram_kib > 0)
    assert estimate.system_config.startswith("Ethos_U65")
    assert estimate.memory_mode
    assert result.path == Path("animals_vela.tflite")
    assert stored_manifest(result.path) == stored_manifest(find_model("animals"))
    assert stored_labels(result.path) == stored_labels(find_model("animals"))
    assert [op.kind for op in read_model_graph(result.path).operators] == ["ethos-u"]
    assert check_model(result.path, U65).origin == "the compiled file itself"


@pytest.mark.parametrize("device", [U65, U85])
@pytest.mark.parametrize("name", ["voc", "golden"])
def test_the_prediction_is_what_vela_does(vela, name, device, model, tmp_path):
    path = model if name == "golden" else find_model(name)
    answer = compile_model(path, device, output=tmp_path / "out.tflite").answer
    predicted = check_model(path, device)
    assert [op.placement == "ethosu" for op in predicted.operators] == [
        op.mapped for op in answer.operators
    ]


def test_what_stays_on_the_cpu_is_named_with_vela_s_reason(vela, model):
    run = CliRunner().invoke(compile_command, [str(model), "--device", U65])
    assert run.exit_code == 0, run.output
    assert "on the CPU: 1 RESIZE_BILINEAR: Scaling matches" in run.output
    assert "not measured" in run.output
    arguments = [str(model), "--device", U65, "--json", "--memory-mode", "Sram_Only"]
    found = json.loads(CliRunner().invoke(compile_command, arguments).output)
    assert found["estimate"]["memory_mode"] == "Sram_Only"
    assert [op["op"] for op in found["placement"] if not op["mapped"]] == [
        "RESIZE_BILINEAR",
        "RESIZE_BILINEAR",
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("portrait/slim_reshape", r"mapped none of the \d+ operators .* Float32"),
        ("portrait/portrait_video_quant", "valid TFLite Semantics"),
    ],
)
def test_a_model_that_vela_refuses(vela, name, message, shared, tmp_path):
    target = tmp_path / "out.tflite"
    with pytest.raises(ConversionError, match=message) as caught:
        compile_model(
            shared / "models" / "tflite" / f"{name}.tflite", U85, output=target
        )
    assert "\n" not in str(caught.value)
    assert not target.exists()


def test_a_memory_mode_that_vela_lacks(vela, model):
    with pytest.raises(ConversionError, match="Nowhere") as caught:
        compile_model(model, U65, request=Request(memory_mode="Nowhere"))
    assert "\n" not in str(caught.value)


_MADE = "(out / 'model_vela.tflite').write_bytes(source.read_bytes())\n"
_SUMMARY = "(out / 'model_summary_x.csv').write_text('a,b\\n1,2\\n')\n"
_LAYERS = "(out / 'model_per-layer.csv').write_text('Name,Op Cycles\\nx,7\\n')\n"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("sys.exit(3)", "ended with status 3"),
        ("os.kill(os.getpid(), 11)", "was ended by SIGSEGV"),
        ("print('Error: no room in SRAM'); sys.exit(1)", "no room in SRAM"),
        ("", "made no file that can be read"),
        ("(out / 'model_vela.tflite').touch()", "made an empty file"),
        ("(out / 'model_vela.tflite').write_text('nonsense')", "not a TFLite model"),
        (_MADE, "per-layer.csv cannot be read"),
        (_MADE + _LAYERS, "wrote no summary"),
        (_MADE + _LAYERS + _SUMMARY, "summary is of a form that is not known"),
        (
            _MADE + "(out / 'model_per-layer.csv').write_bytes(bytes(range(256)) * 9)",
            "cannot be read|of a form that is not known",
        ),
        (
            _MADE + "(out / 'model_per-layer.csv').write_text('Name\\nx\\n')",
            "table of layers is of a form that is not known",
        ),
    ],
)
def test_a_failure_or_nonsense_is_one_line_and_no_file(body, message, standin, model):
    standin(body)
    with pytest.raises(ConversionError, match=message) as caught:
        compile_model(model, U65)
    assert str(caught.value).startswith("vela cannot compile shapes.tflite: ")
    assert "\n" not in str(caught.value)
    assert sorted(p.name for p in model.parent.iterdir()) == ["bin", "shapes.tflite"]


@pytest.mark.parametrize("version", ["", "4.5.0", "Vela, the compiler", "3\n2\n1"])
def test_a_version_that_is_not_known(version, standin, model):
    standin("", version)
    with pytest.raises(ConversionError, match=r"expected 5\.0 or later") as caught:
        compile_model(model, U65)
    assert "\n" not in str(caught.value)


def test_one_that_hangs_is_stopped(standin, model):
    standin("time.sleep(60)")
    with pytest.raises(ConversionError, match="took over 2 s and was stopped"):
        compile_model(model, U65, timeout_s=2)


def test_one_that_prints_for_ever_is_stopped(standin, model):
    standin("while True: os.write(1, b'warning ' * 1000)")
    with pytest.raises(ConversionError, match="took over 1 s and was stopped"):
        compile_model(model, U65, timeout_s=1)


def test_a_full_disk_is_named(vela, model, full_disk, monkeypatch):
    target = full_disk / "out.tflite"
    with pytest.raises(OutputError, match=r"[Nn]o space"):
        compile_model(model, U65, output=target)
    assert not target.exists()
    monkeypatch.setenv("TMPDIR", str(full_disk))
    monkeypatch.setattr("tempfile.tempdir", None)
    with pytest.raises(OutputError, match=r"[Nn]o (space|room)"):
        compile_model(model, U65)


def test_what_is_asked_for_must_have_a_meaning(model, standin, root):
    standin("")
    with pytest.raises(InputError, match=r"does not say which chip it is: .*u65-256"):
        compile_model(model, "ethos-u65")
    with pytest.raises(InputError, match=r"nothing to compile: .* coral, etho"):
        compile_model(model, "desktop")
    with pytest.raises(InputError, match="--min-runtime means nothing to vela"):
        compile_model(model, U65, request=Request(min_runtime=13))
    compiled = root / "tests" / "golden" / "shapes_vela.tflite"
    with pytest.raises(ModelError, match="compiled for the Ethos-U already"):
        compile_model(compiled, U65)
    for device in targets():
        assert compilation._compiler_for(device, Request())[1].unit in device


def test_without_vela_it_says_how_to_get_it(model, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(MissingDriverError, match="pip install 'ethos-u-vela"):
        compile_model(model, U65)


def test_cycles_of_steps_on_the_way_belong_to_the_operator_that_comes_next(model, root):
    graph = read_model_graph(model)
    names = [graph.written(op)[0].name for op in graph.operators[:2]]
    cycles = [("step", 5), (names[0], 2), ("one", 1), ("two", 1), (names[1], 4)]
    found = placement(graph, graph, {}, cycles)
    assert not any(op.mapped for op in found)  # all of it is there still
    compiled = root / "tests" / "golden" / "shapes_vela.tflite"
    mapped = placement(graph, read_model_graph(compiled), {}, cycles)
    assert [op.cycles for op in mapped[:2]] == [7, 6]
