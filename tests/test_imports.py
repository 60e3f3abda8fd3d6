"""What an import may load: the board pays for every module."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from edgeseg.runtime.shipped import photo_folder

PROBE = "import sys, json, {}; print(json.dumps(sorted(sys.modules)))"
HEAVY = {
    "tensorflow",
    "keras",
    "av",
    "cv2",
    "PIL",
    "ai_edge_litert",
    "tflite_runtime",
    "ai_edge_quantizer",
    "h5py",
    "jinja2",
    "matplotlib",
}


def loaded(module):
    command = [sys.executable, "-c", PROBE.format(module)]
    return set(json.loads(subprocess.check_output(command)))


@pytest.mark.parametrize(
    "module",
    [
        "edgeseg.devices",
        "edgeseg.runtime",
        "edgeseg.runtime.accuracy.scores",
        "edgeseg.runtime.commands.dataset",
        "edgeseg.runtime.commands.info",
        "edgeseg.runtime.commands.run",
        "edgeseg.runtime.gstreamer",
        "edgeseg.runtime.model.onnx_file",
        "edgeseg.runtime.pixellib",
        "edgeseg.runtime.sinks.video",
        "edgeseg.runtime.survey.survey",
        "edgeseg.runtime.sources.camera",
        "edgeseg.runtime.sources.gst",
        "edgeseg.runtime.sources.http",
        "edgeseg.runtime.sources.rtsp",
        "edgeseg.runtime.commands.remote",
        "edgeseg.runtime.commands.service",
        "edgeseg.converter.training.finetune",
        "edgeseg.converter.commands.finetune",
        "edgeseg.converter",
        "edgeseg.converter.commands.convert",
        "edgeseg.converter.calibration.calibrate",
        "edgeseg.converter.commands.fetch",
        "edgeseg.converter.conversion.tflite",
        "edgeseg.converter.conversion.onnx",
        "edgeseg.converter.reporting.report",
        "edgeseg.runtime.accuracy.evaluation",
        "edgeseg.benchmarks.commands.eval",
        "edgeseg.benchmarks.commands.bench",
        "edgeseg.benchmarks.latency.bench",
        "edgeseg.benchmarks.page.report",
        "edgeseg.benchmarks.commands.report",
    ],
)
def test_import_loads_nothing_heavy(module):
    assert not HEAVY & loaded(module)


@pytest.mark.parametrize("module", ["edgeseg.runtime.cli", "edgeseg.runtime"])
def test_import_loads_no_numpy(module):
    assert "numpy" not in loaded(module)


@pytest.mark.parametrize(
    "command",
    [
        "run",
        "info",
        "dataset",
        "convert",
        "eval",
        "demo",
        "fetch",
        "compare",
        "parity",
        "reference",
        "remote",
        "bench",
        "report",
        "finetune",
        "service",
        "check",
        "compile",
        "devices",
        "doctor",
    ],
)
def test_help_of_a_command_loads_nothing_heavy(command):
    code = (
        "import sys\nfrom edgeseg.runtime.cli import main\n"
        f"main(['{command}', '--help'], standalone_mode=False)\n"
        f"sys.exit(len({HEAVY!r} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


# How many modules of edgeseg a command may load: what was measured, and a few more.
# Whoever goes over a budget either imports where it is used, or raises the number here
# and says in the commit what it bought.
BUDGETS = {
    "--help": 12,  # 9
    "info animals": 45,  # 42
    "devices": 57,  # 55
    "check animals --device desktop": 66,  # 62
    "run animals PHOTO -o null": 116,  # 110
}


def modules_of(command, photo):
    """Return the modules of edgeseg that a command loads, in their order."""
    words = [str(photo) if word == "PHOTO" else word for word in command.split()]
    code = (
        "import json, sys\nfrom edgeseg.runtime.cli import main\n"
        f"main({words!r}, standalone_mode=False)\n"
        "print('', json.dumps([m for m in sys.modules if m.startswith('edgeseg.')]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, encoding="utf-8"
    )
    return json.loads(done.stdout.splitlines()[-1])


def over_budget(modules, budget):
    """Return what to read when a command loads more than it may; empty if not."""
    if len(modules) <= budget:
        return ""
    extra = ", ".join(modules[budget:])
    return f"{len(modules)} of {budget}; loaded last: {extra}; all: {modules}"


@pytest.mark.parametrize("command", BUDGETS)
def test_a_command_keeps_to_its_budget_of_modules(command):
    photo = photo_folder() / "cat.jpg"
    assert not over_budget(modules_of(command, photo), BUDGETS[command])


def test_modules_over_a_budget_are_named():
    assert over_budget(["a", "b", "c"], 2).startswith("3 of 2; loaded last: c;")


def test_listing_devices_imports_none():
    listed = loaded("edgeseg.devices; edgeseg.devices.DEVICES.names()")
    assert "edgeseg.devices.boards.desktop" not in listed
    assert "edgeseg.devices.boards.desktop" in loaded("edgeseg.devices.boards.desktop")
