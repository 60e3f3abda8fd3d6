"""Boards told apart by their files alone."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from machines import PI_4, cpuinfo, lay, os_release, tree

from edgeseg.devices.board import decode_revision, detect_board
from edgeseg.devices.cores import core_groups
from edgeseg.devices.open import automatic_device
from edgeseg.devices.sensors import read_temperature_c, read_throttling
from edgeseg.devices.support import SUPPORT, support_markdown, support_row

PHANBELL = tree("Freescale i.MX8MQ Phanbell", "fsl,imx8mq-phanbell", "fsl,imx8mq")
MINI = tree("Coral Dev Board Mini", "mediatek,mt8167-coral", "mediatek,mt8167")
NANO = tree("NVIDIA Jetson Nano Developer Kit", "nvidia,p3450-0000", "nvidia,tegra210")
ORIN = tree("NVIDIA Jetson Orin Nano", "nvidia,p3768-0000", "nvidia,tegra234")
ROCK = tree("Radxa ROCK 5B", "radxa,rock-5b", "rockchip,rk3588")
ODROID = tree("Hardkernel ODROID-N2Plus", "hardkernel,odroid-n2-plus", "amlogic,g12b")
RELEASE = {
    "etc/nv_tegra_release": "# R36 (release), REVISION: 4.3, GCID: 1, BOARD: generic\n"
}
DESKTOP = {
    "proc/cpuinfo": "processor\t: 0\nmodel name\t: Some x86\n",
    "sys/class/dmi/id/product_name": "Desk 9\n",
}


@pytest.mark.parametrize(
    ("files", "kind", "device", "soc"),
    [
        (PI_4, "raspberry_pi", "raspberry_pi", "BCM2711"),
        (PHANBELL, "coral_dev_board", "generic", "imx8mq"),
        (MINI, "coral_dev_board", "generic", "mt8167"),
        (NANO, "jetson", "jetson", "tegra210"),
        (ORIN, "jetson", "jetson", "tegra234"),
        (RELEASE, "jetson", "jetson", None),
        (ROCK, "generic", "generic", "rk3588"),
        (ODROID, "generic", "generic", "g12b"),
        (DESKTOP, "desktop", "desktop", None),
        ({}, "desktop", "desktop", None),
    ],
)
def test_boards_are_told_apart(files, kind, device, soc, tmp_path, golden_model):
    board = detect_board(lay(tmp_path, files))
    assert (board.kind, board.device, board.soc) == (kind, device, soc)
    assert automatic_device(golden_model, tmp_path) == device


@pytest.mark.parametrize(
    ("code", "model", "soc", "gigabytes"),
    [
        ("a02082", "3B", "BCM2837", 1),
        ("a020d3", "3B+", "BCM2837", 1),
        ("902120", "Zero 2 W", "BCM2837", 0.5),
        ("a020a0", "CM3", "BCM2837", 1),
        ("c03115", "4B", "BCM2711", 4),
        ("d03140", "CM4", "BCM2711", 8),
        ("d04170", "5", "BCM2712", 8),
        ("d04180", "CM5", "BCM2712", 8),
        ("e04171", "5", "BCM2712", 16),
    ],
)
def test_revision_codes_of_a_pi(code, model, soc, gigabytes):
    told = decode_revision(code)
    assert (told.model, told.soc) == (model, soc)
    assert told.memory_bytes == gigabytes * 2**30


@given(st.text(max_size=10))
def test_any_revision_code_is_an_answer_or_none(code):
    told = decode_revision(code)
    assert told is None or told.memory_bytes >= 2**28


def test_a_pi_without_device_tree_is_known_by_its_revision(tmp_path):
    text = cpuinfo("0xd0b", revision="d04170", model="Raspberry Pi 5 Model B Rev 1.0")
    board = detect_board(lay(tmp_path, {"proc/cpuinfo": text}))
    assert board.kind == "raspberry_pi"
    assert board.model == "Raspberry Pi 5 Model B Rev 1.0"
    assert (board.processor, board.fitted_bytes) == ("Cortex-A76", 8 * 2**30)


def test_the_release_of_a_jetson(tmp_path):
    assert detect_board(lay(tmp_path, {**ORIN, **RELEASE})).release == "36.4.3"


@pytest.mark.parametrize("garbage", [b"", b"\xff\xfe\0\0", b"\0", b"?" * 100_000])
def test_garbage_is_no_board_and_no_error(garbage, tmp_path):
    board = detect_board(lay(tmp_path, dict.fromkeys({**PI_4, **RELEASE}, garbage)))
    assert board.kind in ("desktop", "generic")
    assert core_groups(tmp_path) == ()


def cores(capacities=None, clocks=None):
    files = {}
    for key, values in (
        ("cpu_capacity", capacities),
        ("cpufreq/cpuinfo_max_freq", clocks),
    ):
        for i, value in enumerate(values or ()):
            files[f"sys/devices/system/cpu/cpu{i}/{key}"] = f"{value}\n"
    return files


def big(root):
    return sorted(n for g in core_groups(root) if g.is_big for n in g.processors)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (cores([530] * 4 + [1024] * 2 + [994] * 2), [4, 5, 6, 7]),  # RK3588
        (cores(clocks=[1_900_000] * 2 + [2_400_000] * 4), [2, 3, 4, 5]),  # ODROID-N2+
        (cores(clocks=[1_800_000] * 4), [0, 1, 2, 3]),
        (cores([1024] * 4, [2_400_000] * 4), [0, 1, 2, 3]),
    ],
)
def test_big_cores(files, expected, tmp_path):
    assert big(lay(tmp_path, files)) == expected


def test_cores_have_the_names_of_their_kind(tmp_path):
    text = cpuinfo(*["0xd05"] * 2, *["0xd0b"] * 2)
    lay(tmp_path, {**cores([530] * 2 + [1024] * 2), "proc/cpuinfo": text})
    groups = core_groups(tmp_path)
    assert [g.name for g in groups] == ["Cortex-A76", "Cortex-A55"]
    assert [g.processors for g in groups] == [(2, 3), (0, 1)]


def test_throttling_is_asked_of_the_firmware(tmp_path):
    program = tmp_path / "bin" / "vcgencmd"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho throttled=0x50005\n")
    program.chmod(0o755)
    told = read_throttling(tmp_path, path=str(program.parent))
    assert told["now"] == ["under-voltage", "throttled"]
    assert told["since_start"] == ["under-voltage", "throttled"]
    assert read_throttling(tmp_path) is None


def test_a_zone_that_says_nothing_is_left_out(tmp_path):
    zone = "sys/class/thermal/thermal_zone{}/temp"
    lay(tmp_path, {zone.format(0): "", zone.format(1): "45000"})
    assert read_temperature_c(tmp_path) == 45.0


def test_the_support_table_says_what_cannot_work():
    assert {row.works for row in SUPPORT} == {"yes", "no", "own Python"}
    for row in SUPPORT:
        old = re.fullmatch(r"3\.(\d+)", row.python)
        if old and int(old[1]) < 10:
            assert row.works != "yes"
            assert row.note
        assert row.works == "yes" or row.note
    assert support_markdown().count("\n") == len(SUPPORT) + 1


@pytest.mark.parametrize(
    ("kind", "system", "works"),
    [
        ("raspberry_pi", ("debian", "12"), "yes"),
        ("raspberry_pi", ("debian", "11"), "own Python"),
        ("raspberry_pi", ("raspbian", "12"), "no"),
        ("jetson", ("ubuntu", "18.04"), "own Python"),
        ("jetson", ("ubuntu", "22.04"), "yes"),
        ("desktop", ("alpine", "3.20"), "no"),
    ],
)
def test_images_have_a_row(kind, system, works, tmp_path):
    board = detect_board(lay(tmp_path, os_release("x", *system)))
    assert support_row(kind, board.system_id).works == works
