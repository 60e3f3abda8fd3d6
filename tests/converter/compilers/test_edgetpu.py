"""The driver of Google's compiler, against a stand-in that prints documented logs.

The real compiler is not available to the tests: that it runs as documented is
unverified. The stand-in takes the documented options, writes the documented files and
prints logs of the documented forms.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import time
import zipfile

import pytest
from click.testing import CliRunner

from edgeseg.converter.commands.compile import compile_command
from edgeseg.converter.compilation import compile as compilation
from edgeseg.converter.compilation.contract import Request
from edgeseg.converter.compilers.edgetpu import PROGRAM, parse_log
from edgeseg.devices import ConversionError, InputError, MissingDriverError, ModelError
from edgeseg.runtime import Manifest
from edgeseg.runtime.model.embedded import (
    append_manifest,
    stored_labels,
    stored_manifest,
)

LOG = """Edge TPU Compiler version 16.0.384591198
Started a compilation timeout timer of 180 seconds.

Model compiled successfully in 2653 ms.

Input model: model.tflite
Input size: 7.31MiB
Output model: model_edgetpu.tflite
On-chip memory used for caching model parameters: 6.08MiB
Off-chip memory used for streaming uncached model parameters: 1.70MiB
Number of Edge TPU subgraphs: 1
Total number of operations: 5
Operation log: model_edgetpu.log

Operator                       Count      Status

RESIZE_BILINEAR                1          Operation is otherwise supported, but not mapped due to some unspecified limitation
CONV_2D                        2          Mapped to Edge TPU
CONV_2D                        1          More than one subgraph is not supported
TFLite_Detection_PostProcess   1          Operation is working on an unsupported data type
Compilation child process completed within timeout period.
Compilation succeeded!
"""  # noqa: E501
NOTHING = LOG.replace("Mapped to Edge TPU", "Operation not supported")
OLD = """Edge TPU Compiler version 15.0.340273435
Input: model.tflite
Output: model_edgetpu.tflite

Operator                       Count      Status

SOFTMAX                        1          Mapped to Edge TPU
"""
FAILED = """Edge TPU Compiler version 16.0.384591198
Started a compilation timeout timer of 180 seconds.
ERROR: Restored original execution plan after delegate application failure.
Compilation failed: Compilation failed due to large activation tensors in model.
Compilation child process completed within timeout period.
Compilation failed!
"""
REGISTRATION = """Edge TPU Compiler version 2.0.267685300
ERROR: Didn't find op for builtin opcode 'RESIZE_BILINEAR' version '3'

ERROR: Registration failed.
"""


def compile_model(model, **options):
    return compilation.compile_model(model, "coral", **options)


@pytest.fixture
def model(tmp_path, golden_model):
    path = tmp_path / "shapes.tflite"
    labels = tuple(f"class {n}" for n in range(4))
    path.write_bytes(
        append_manifest(golden_model.read_bytes(), Manifest(labels=labels))
    )
    return path


@pytest.fixture
def compiler(tmp_path, monkeypatch):
    """Return a function that installs a stand-in printing a log; see the module."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def install(log=LOG, *, code=0, made=True, body="", printed=None):
        script = folder / PROGRAM
        lines = [
            f"#!{sys.executable}",
            "import pathlib, sys",
            f"called = pathlib.Path({str(tmp_path / 'called')!r})",
            "called.write_text(' '.join(sys.argv))",
            body,
            "out = pathlib.Path(sys.argv[sys.argv.index('-o') + 1])",
            "source = pathlib.Path(sys.argv[-1])",
            f"print({(log if printed is None else printed)!r})",
        ]
        if made:
            lines += [
                "made = source.stem + '_edgetpu'",
                "(out / (made + '.tflite')).write_bytes(source.read_bytes())",
                f"(out / (made + '.log')).write_text({log!r})",
            ]
        script.write_text("\n".join([*lines, f"sys.exit({code})"]))
        script.chmod(script.stat().st_mode | stat.S_IXUSR)

    return install


def test_a_documented_log_is_read_row_by_row():
    log = parse_log(LOG)
    assert (log.version, log.mapped, log.operators) == ("16.0.384591198", 2, 5)
    assert [(r.op, r.count, r.mapped) for r in log.rows] == [
        ("RESIZE_BILINEAR", 1, False),
        ("CONV_2D", 2, True),
        ("CONV_2D", 1, False),
        ("TFLite_Detection_PostProcess", 1, False),
    ]
    assert log.rows[0].status.endswith("some unspecified limitation")
    assert log.failure == ""
    assert parse_log(OLD).rows[0].mapped


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        (FAILED, "large activation tensors in model; take smaller pictures"),
        (REGISTRATION, "'RESIZE_BILINEAR' version '3'; the compiler is older"),
        ("\nInternal compiler error. Aborting! \n", "Internal compiler error"),
    ],
)
def test_a_failure_is_told_with_what_helps(text, failure):
    assert failure in parse_log(text).failure


def test_the_result_carries_the_manifest(model, compiler):
    compiler()
    result = compile_model(model, request=Request(min_runtime=13))
    assert result.path == model.with_name("shapes_edgetpu.tflite")
    assert (result.answer.mapped, result.answer.total, result.manifest) == (2, 5, True)
    assert stored_manifest(result.path) == stored_manifest(model)
    called = (model.parent / "called").read_text()
    assert " -m 13 " in called
    assert str(model) not in called  # it works on a copy


def test_a_foreign_label_list_is_carried_too(model, compiler, golden_model):
    model.write_bytes(golden_model.read_bytes().partition(b"PK\x03\x04")[0])
    with zipfile.ZipFile(model, "a") as archive:
        archive.writestr("labelmap.txt", "sky\ngrass\n")
    strip = "source.write_bytes(source.read_bytes().partition(b'PK\\x03\\x04')[0])"
    compiler(body=f"source = pathlib.Path(sys.argv[-1])\n{strip}")
    assert stored_labels(compile_model(model).path) == ("sky", "grass")


def test_a_table_that_is_only_in_the_log_file_is_read_there(model, compiler):
    compiler(printed="Edge TPU Compiler version 16.0.384591198")
    assert compile_model(model).answer.mapped == 2


def test_the_command_tells_what_stays_on_the_cpu(model, compiler):
    compiler()
    arguments = [str(model), "--device", "coral"]
    run = CliRunner().invoke(compile_command, arguments)
    assert run.exit_code == 0, run.output
    assert "2 of 5 operators mapped" in run.output
    assert "on the CPU: 1 RESIZE_BILINEAR: Operation is otherwise" in run.output
    told = json.loads(
        CliRunner().invoke(compile_command, [*arguments, "--json"]).output
    )
    assert told["rows"][1] == {
        "op": "CONV_2D",
        "count": 2,
        "status": "Mapped to Edge TPU",
        "mapped": True,
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"log": NOTHING}, "mapped none of the 5 operators"),
        ({"log": FAILED, "code": 1, "made": False}, "large activation tensors"),
        ({"log": "", "made": False}, "ended with status 0 and made no file"),
        ({"log": "", "body": "sys.exit(7)"}, "status 7"),
    ],
)
def test_a_failed_or_empty_compilation_writes_nothing(
    options, message, model, compiler
):
    compiler(**options)
    with pytest.raises(ConversionError, match=message):
        compile_model(model)
    assert not model.with_name("shapes_edgetpu.tflite").exists()


def test_a_time_out_ends_the_compiler_and_its_children(model, compiler):
    mark = model.parent / "child"
    compiler(
        body="import subprocess, time\n"
        "sleep = [sys.executable, '-c', 'import time; time.sleep(60)']\n"
        "child = subprocess.Popen(sleep)\n"
        f"pathlib.Path({str(mark)!r}).write_text(str(child.pid))\n"
        "time.sleep(60)"
    )
    with pytest.raises(ConversionError, match="took over 3 s and was stopped"):
        compile_model(model, timeout_s=3)
    child = int(mark.read_text())
    for _ in range(100):  # until whoever inherits a dead process has reaped it
        if not is_running(child):
            break
        time.sleep(0.05)
    assert not is_running(child)


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"


def test_without_the_compiler_it_is_told_how_to_get_it(model, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDriverError, match="apt install edgetpu-compiler"):
        compile_model(model)


def test_what_is_compiled_or_no_model_is_refused(model, shared, compiler):
    compiler()
    folder = shared / "models" / "tflite" / "google-coral"
    with pytest.raises(ModelError, match="compiled for the Edge TPU already"):
        compile_model(folder / "deeplabv3_mnv2_dm05_pascal_quant_edgetpu.tflite")
    model.write_bytes(b"no model")
    with pytest.raises(ModelError, match="not a TFLite model"):
        compile_model(model)
    golden = model.with_name("again.tflite")
    golden.write_bytes(b"\x1c\x00\x00\x00TFL3")
    with pytest.raises(InputError, match="the original would be lost"):
        compile_model(golden, output=golden)
