"""One cell of the matrix: a Python, a set of package versions, and what comes of them.

A cell takes a fresh environment and a fresh copy of the project, and does there what
the README says first: install with the extra ``convert``, and run the demo.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from pythons import Python

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "runtime" / "shipped" / "voc.tflite"
KINDS = ("lowest", "newest", "pre-releases")

# What other packages' versions can break, in a minute or two
TESTS = (
    "tests/converter/loading/mending/test_mend.py",
    "tests/converter/quantization/test_windows.py",
    "tests/converter/conversion/test_conversion.py::test_everything_is_int8_and_parity_holds",
    "tests/converter/networks/test_resizing.py",
    "tests/converter/conversion/test_onnx.py::test_the_shipped_network_answers_like_keras",
    "tests/converter/conversion/test_tensor_names.py",
    "tests/devices/test_devices.py",
    "tests/devices/boards/test_jetson.py",
    "tests/devices/test_onnx.py",
    "tests/runtime/sinks/test_video.py",
    "tests/runtime/pictures/test_files.py",
    "tests/runtime/web/test_answers.py",
)
_TESTED_EXTRAS = "onnx,web,video,mqtt"

_VERSIONS = """
import json, re
from importlib.metadata import PackageNotFoundError, requires, version
names = {re.match(r"[\\w.-]+", line).group() for line in requires("edgeseg")}
found = {}
for name in sorted({*names, "keras-nightly"}):
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
print(json.dumps(found))
"""


# of the shell that this runs in
_LEFT_OUT = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_CONSTRAINT", "PIP_PRE")


class Cell:
    """What is tried with one Python and one set of versions.

    Parameters
    ----------
    python : Python
        The interpreter.
    kind : str
        One of `KINDS`.
    folder : Path
        Does not exist yet; gets the environment, the copy and the log.
    uv : Path
        The program that finds the lowest versions.
    tested : bool
        Whether tests are run after the demo.
    """

    def __init__(
        self,
        python: Python,
        kind: str,
        folder: Path,
        uv: Path,
        *,
        tested: bool = True,
    ) -> None:
        self.python = python
        self.tested = tested
        self.kind = kind
        self.folder = folder
        self.log = folder / "log.txt"
        self._uv = uv
        self._copy = folder / "edgeseg"
        self._bin = folder / "environment" / "bin"

    def run(self) -> dict[str, Any]:
        """Return the cell as a record; what was printed is in the log."""
        start = time.monotonic()
        self.folder.mkdir(parents=True)
        copy_project(self._copy)
        record: dict[str, Any] = {"python": self.python.version, "kind": self.kind}
        made = self._call([self.python.path, "-m", "venv", self._bin.parent])
        if made == 0 and (self.kind != "lowest" or self._write_constraints() == 0):
            record["demo"] = self._demo()
            if self.tested:
                record["tests"] = self._tests()
            record["versions"] = self._versions()
        record["seconds"] = round(time.monotonic() - start)
        record["passed"] = has_passed(record, tested=self.tested)
        return record

    def _demo(self) -> dict[str, Any]:
        """Run the README's first command, as it stands."""
        code = self._call(["bash", "-c", first_command()])
        made = self._copy / "demo" / SHIPPED.name
        equal = made.is_file() and network(made) == network(SHIPPED)
        answer = {"exit": code, "int8_made": made.is_file(), "network_equal": equal}
        if not equal:
            answer["difference"] = _difference(self.log.read_text("utf-8", "replace"))
        return answer

    def _tests(self) -> dict[str, int]:
        pip = [self._bin / "python", "-m", "pip", "install", "-q"]
        code = self._call([*pip, f".[{_TESTED_EXTRAS}]", "pytest", "hypothesis"])
        if code != 0:
            return {"exit": code}
        report = self.folder / "tests.xml"
        options = ["-q", "-m", "long or not long", f"--junitxml={report}"]
        code = self._call([self._bin / "python", "-m", "pytest", *options, *TESTS])
        return {"exit": code, **counts(report)}

    def _versions(self) -> dict[str, str]:
        """Return the releases of the packages that edgeseg names, as installed."""
        done = subprocess.run(
            [self._bin / "python", "-c", _VERSIONS], capture_output=True, text=True
        )
        found: dict[str, str] = json.loads(done.stdout or "{}")
        return found

    def _write_constraints(self) -> int:
        """Pin every package that edgeseg names to the lowest release it allows."""
        command = [self._uv, "pip", "compile", "--quiet", "--no-header"]
        command += ["--resolution=lowest-direct", "--only-binary=:all:"]
        command += ["--prerelease=if-necessary-or-explicit"]
        extras = ("convert", *_TESTED_EXTRAS.split(","))
        command += [f"--extra={extra}" for extra in extras]
        command += ["--python", self._bin / "python"]
        code = self._call([*command, f"--output-file={self._pins}", "pyproject.toml"])
        if code == 0:
            self._pins.write_text(named_pins(self._pins.read_text("utf-8")), "utf-8")
        return code

    @property
    def _pins(self) -> Path:
        return self.folder / "lowest.txt"

    def _environment(self) -> dict[str, str]:
        outer = {"EDGESEG_SHARED": str(ROOT.parent / "shared"), **os.environ}
        for name in _LEFT_OUT:
            outer.pop(name, None)
        path = f"{self._bin}{os.pathsep}{outer['PATH']}"
        own = {"PATH": path, "EDGESEG_EXAMPLES": "20", "PIP_NO_COMPILE": "1"}
        if self.kind == "lowest" and self._pins.is_file():
            own["PIP_CONSTRAINT"] = str(self._pins)
        if self.kind == "pre-releases":
            own["PIP_PRE"] = "1"
        return {**outer, **own}

    def _call(self, command: list[Any]) -> int:
        with self.log.open("ab") as log:
            return subprocess.run(
                command,
                cwd=self._copy,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            ).returncode


def first_command() -> str:
    """Return the README's first command."""
    text = (ROOT / "README.md").read_text("utf-8")
    return re.search(r"^pip install .*edgeseg demo.*$", text, re.MULTILINE).group()


def named_pins(pins: str) -> str:
    """Return the lines that pin a package which pyproject.toml names.

    The others are pip's to choose: uv takes packages whose ``Requires-Python`` ends
    before this Python, and pip does not.
    """
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    named = {_plain(name) for name in re.findall(r'"([\w.-]+)[\["<>=]', text)}
    lines = re.findall(r"^[\w.-]+==.+$", pins, re.M)
    return "".join(f"{x}\n" for x in lines if _plain(x.partition("==")[0]) in named)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def copy_project(folder: Path) -> None:
    """Copy the files that git knows or would know, as they are in the working tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def network(path: Path) -> bytes:
    """Return a model file without the manifest, which names package versions."""
    content = path.read_bytes()
    if not zipfile.is_zipfile(path):
        return content
    with zipfile.ZipFile(path) as archive:
        return content[: min(entry.header_offset for entry in archive.infolist())]


def network_sha256(path: Path) -> str:
    """Return the SHA-256 of a model file without its manifest."""
    return hashlib.sha256(network(path)).hexdigest()


def counts(report: Path) -> dict[str, int]:
    """Return how many tests passed, failed and were skipped, from pytest's report."""
    if not report.is_file():
        return {"passed": 0, "failed": 0, "skipped": 0}
    suites = ElementTree.parse(report).getroot().iter("testsuite")
    total = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for suite in suites:
        for key in total:
            total[key] += int(suite.get(key, 0))
    failed = total["failures"] + total["errors"]
    passed = total["tests"] - failed - total["skipped"]
    return {"passed": passed, "failed": failed, "skipped": total["skipped"]}


def has_passed(record: dict[str, Any], *, tested: bool = True) -> bool:
    """Return whether the demo gave the network that ships and the tests passed."""
    demo, tests = record.get("demo", {}), record.get("tests", {})
    shown = demo.get("exit") == 0 and demo.get("network_equal") is True
    passed = tests.get("exit") == 0 and tests.get("passed", 0) > 0
    return shown and (passed or not tested)


def _difference(log: str) -> str:
    """Return the demo's own words on the file it made, else the last line."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    said = [line for line in lines if "that comes with the package" in line]
    return (said or lines or ["nothing was printed"])[-1]
