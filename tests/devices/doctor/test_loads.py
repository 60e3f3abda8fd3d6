"""What crashes in a child is a finding; the doctor itself needs no numpy."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from machines import lay

from edgeseg.devices.doctor import Machine
from edgeseg.devices.doctor.loads import check_loads

DOCTOR = "from edgeseg.runtime.commands.doctor import doctor; doctor()"


def doctor(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-c", DOCTOR, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def found(done):
    return {f["id"]: f for f in json.loads(done.stdout)["findings"]}


def test_the_interpreter_here_runs_a_model():
    findings = {f.id: f for f in check_loads(Machine())}
    assert findings["loads-numpy"].severity == "ok"
    assert "runs a model" in findings["loads-interpreter"].found


def test_a_broken_numpy_is_a_finding(tmp_path):
    lay(tmp_path, {"numpy/__init__.py": "raise ImportError('built for another CPU')"})
    done = doctor("--json", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1, done.stderr
    finding = found(done)["loads-numpy"]
    assert finding["severity"] == "error"
    assert "built for another CPU" in finding["found"]
    assert "--force-reinstall numpy" in finding["fix"]


@pytest.mark.parametrize(
    ("package", "id_"), [("numpy", "loads-numpy"), ("cv2", "loads-opencv")]
)
def test_a_package_that_kills_the_process(package, id_, tmp_path):
    crash = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    lay(tmp_path, {f"{package}/__init__.py": crash})
    done = doctor("--json", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "killed by SIGSEGV" in found(done)[id_]["found"]


def test_opencv_without_libgl_names_the_headless_package(tmp_path):
    text = "raise ImportError('libGL.so.1: cannot open shared object file')"
    lay(tmp_path, {"cv2/__init__.py": text})
    finding = found(doctor("--json", PYTHONPATH=str(tmp_path)))["loads-opencv"]
    assert "uninstall opencv-python " in finding["fix"]


def test_an_interpreter_that_is_gone(tmp_path):
    broken = {
        f"{name}/__init__.py": "raise ImportError('gone')"
        for name in ("ai_edge_litert", "tflite_runtime", "tensorflow")
    }
    lay(tmp_path, broken)
    finding = found(doctor("--json", PYTHONPATH=str(tmp_path)))["loads-interpreter"]
    assert finding["severity"] == "error"
    assert "no TFLite interpreter found" in finding["found"]


def fake_python(tmp_path, text):
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return Machine(interpreter=str(path))


@pytest.mark.parametrize(
    ("text", "id_", "severity", "words"),
    [
        (
            "echo passed interpreter x 1 plain",
            "loads-interpreter",
            "warning",
            "without",
        ),
        ("echo begin opencv; kill -ILL $$", "loads-opencv", "error", "SIGILL"),
        ("echo nonsense; exit 3", "loads-numpy", "error", "ended with 3"),
    ],
)
def test_endings_of_the_child(text, id_, severity, words, tmp_path):
    findings = {f.id: f for f in check_loads(fake_python(tmp_path, text))}
    assert findings[id_].severity == severity
    assert words in findings[id_].found
    assert findings[id_].fix


def test_a_python_that_is_not_there(tmp_path):
    (finding,) = check_loads(Machine(interpreter=str(tmp_path / "none")))
    assert finding.severity == "error"
    assert "cannot start" in finding.found


def test_the_doctor_imports_nothing_heavy():
    code = (
        "import sys, edgeseg.devices.doctor.examination\n"
        "import edgeseg.devices.doctor.bugreport\n"
        "import edgeseg.devices.doctor.examination, edgeseg.runtime.commands.doctor\n"
        "assert not {'numpy', 'cv2', 'ai_edge_litert'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
