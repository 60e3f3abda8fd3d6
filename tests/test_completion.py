"""The tab key, in a real bash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

BASH = shutil.which("bash")
# what bash does at a tab: fill the words, call the function, take COMPREPLY
TAB = """
source <(_EDGESEG_COMPLETE=bash_source edgeseg)
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
compopt() {{ echo "compopt $2"; }}
{function}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def tab(tmp_path):
    """Return what bash offers behind some words, the last of which is incomplete."""
    if BASH is None:
        pytest.skip("needs bash")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "edgeseg"
    code = "from edgeseg.runtime.cli import main; main(prog_name='edgeseg')"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"\n')
    program.chmod(0o755)
    folder = tmp_path / "work"
    folder.mkdir()
    seen = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}

    def call(*words):
        quoted = " ".join(f"'{word}'" for word in words)
        script = TAB.format(words=quoted, function="_edgeseg_completion edgeseg")
        done = subprocess.run(
            [BASH, "--norc", "-c", script],
            env=seen,
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
        )
        assert done.stderr == ""
        return done.stdout.split("\n")[:-1]

    call.folder = folder
    return call


def test_commands(tab):
    assert tab("edgeseg", "de") == ["demo", "devices"]
    assert "run" in tab("edgeseg", "")


def test_models_by_name_and_by_file(tab):
    for name in ("animals2.tflite", "other.onnx", "notes.txt", "two words.tflite"):
        (tab.folder / name).touch()
    (tab.folder / "anything").mkdir()
    assert tab("edgeseg", "run", "an") == ["animals", "animals2.tflite", "anything/"]
    assert tab("edgeseg", "info", "") == [
        "animals",
        "voc",
        "animals2.tflite",
        "anything/",
        "other.onnx",
    ]
    assert tab("edgeseg", "run", "oth") == ["compopt default", ""]


def test_a_file_of_the_shipped_name_is_offered_once(tab):
    (tab.folder / "animals.tflite").touch()
    (tab.folder / "animals").touch()
    assert tab("edgeseg", "bench", "anim") == ["animals", "animals.tflite"]


def test_sources_and_outputs_are_files(tab):
    assert tab("edgeseg", "run", "animals", "pho") == ["compopt default", ""]
    assert tab("edgeseg", "run", "animals", "x", "-o", "")[0] == "compopt default"


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("run", "animals", "x", "--dev"), ["--device"]),
        (("run", "animals", "x", "--device", "ras"), ["raspberry_pi"]),
        (("run", "animals", "x", "--labels", "pas"), ["pascal-voc"]),
        (("convert", "x", "--recipe", "int8-"), ["int8-mixed"]),
        (("convert", "x", "--head", "lab"), ["labels"]),
    ],
)
def test_options_and_their_values(words, offered, tab):
    assert tab("edgeseg", *words) == offered


def test_an_unreadable_folder_is_no_error(tab, monkeypatch):
    from edgeseg.runtime.terminal.completion import model_items

    def fail():
        raise PermissionError

    monkeypatch.setattr("os.scandir", fail)
    assert [item.value for item in model_items("", ["animals"])] == ["animals"]


def test_commands_are_listed_without_loading_them():
    code = (
        "import sys; from edgeseg.runtime.cli import main; import click\n"
        "context = click.Context(main)\n"
        "items = main.shell_complete(context, 'r')\n"
        "print([i.value for i in items], 'edgeseg.runtime.commands.run' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "['reference', 'remote', 'report', 'run'] False\n"
