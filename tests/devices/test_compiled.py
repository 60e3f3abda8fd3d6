"""Processors on which LiteRT's accelerators would end the process."""

from __future__ import annotations

import pytest
from machines import lay

from edgeseg.devices.board import read_features
from edgeseg.devices.compiled import unfit_processor

CORE = "processor : {}\nFeatures : {}\nCPU part : {}\n\n"


def machine(tmp_path, *cores):
    text = "".join(CORE.format(i, *core) for i, core in enumerate(cores))
    return lay(tmp_path, {"proc/cpuinfo": text})


def test_a_jetson_nano_is_refused(tmp_path):
    root = machine(tmp_path, *[("fp asimd crc32", "0xd07")] * 4)
    told = unfit_processor(root)
    assert "Cortex-A57" in told
    assert "jetson:cpu" in told
    assert "\n" not in told


def test_one_core_without_is_enough(tmp_path):
    root = machine(tmp_path, ("fp asimd atomics", "0xd0b"), ("fp asimd", "0xd08"))
    assert read_features(root) == {"fp", "asimd"}
    assert unfit_processor(root)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"proc/cpuinfo": "flags : sse4_2 avx2\n"},
        {"proc/cpuinfo": CORE.format(0, "fp asimd atomics", "0xd42")},
    ],
)
def test_others_pass(files, tmp_path):
    assert unfit_processor(lay(tmp_path, files)) is None
