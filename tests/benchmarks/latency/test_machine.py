"""A board's state out of its files: what is there is read, what is not is None."""

from __future__ import annotations

import numpy as np
import pytest

from edgeseg.benchmarks.latency.machine import (
    describe_board,
    emulation,
    memory,
    processor_seconds,
    read_conditions,
    reset_peak,
)

PI = {
    "proc/cpuinfo": "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n",
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.5\0",
    "proc/meminfo": "MemTotal:        3885396 kB\nMemFree: 1 kB\n",
    "proc/loadavg": "0.52 0.58 0.59 1/467 12345\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "600000\n",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "1800000\n",
    "sys/class/thermal/thermal_zone0/temp": "61342\n",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "50004\n",
}
MAPS = "proc/thread-self/maps"
X86 = "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon\n"


def lay(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_pi_tells_its_state(tmp_path):
    told = read_conditions(lay(tmp_path, PI))
    assert told["governor"] == "ondemand"
    np.testing.assert_allclose(told["frequency_mhz"], 1800)
    np.testing.assert_allclose(told["temperature_c"], 61.342)
    assert told["throttling"] == {
        "now": ["throttled"],
        "since_start": ["under-voltage", "throttled"],
    }
    assert told["load_average"] == [0.52, 0.58, 0.59]


def test_a_pi_tells_what_it_is(tmp_path):
    told = describe_board(lay(tmp_path, PI))
    assert told["model"] == "Raspberry Pi 4 Model B Rev 1.5"
    assert told["processor"] == "Cortex-A72"
    assert told["memory_bytes"] == 3885396 * 1024


def test_what_is_not_there_is_none(tmp_path):
    told = read_conditions(tmp_path)
    assert told.pop("time").endswith("Z")
    assert set(told.values()) == {None}
    board = describe_board(tmp_path)
    assert [board[k] for k in ("model", "processor", "memory_bytes")] == [None] * 3
    assert processor_seconds(tmp_path) is None
    assert not reset_peak(tmp_path / "nowhere")


def test_garbage_is_as_good_as_nothing(tmp_path):
    told = read_conditions(lay(tmp_path, dict.fromkeys(PI, "?\n")))
    assert told["frequency_mhz"] is told["temperature_c"] is None
    assert told["throttling"] is told["load_average"] is None


def test_heat_counts_of_an_intel_processor(tmp_path):
    counts = "sys/devices/system/cpu/cpu{}/thermal_throttle/core_throttle_count"
    told = read_conditions(
        lay(tmp_path, {counts.format(0): "2", counts.format(1): "3"})
    )
    assert told["throttle_count"] == 5


@pytest.mark.parametrize(
    ("files", "architecture", "environment", "word"),
    [
        ({"proc/cpuinfo": X86}, "x86_64", {}, None),
        (PI, "aarch64", {}, None),
        ({"proc/cpuinfo": X86}, "aarch64", {}, "x86"),
        (PI, "aarch64", {"QEMU_CPU": "cortex-a72"}, "QEMU_CPU"),
        (
            {**PI, MAPS: "0-1 r-xp 0 0:0 1 /usr/bin/qemu-aarch64-static\n2-3 rw-p\n"},
            "aarch64",
            {},
            "qemu-aarch64",
        ),
        (
            {**PI, MAPS: "0-1 r-xp 0 0:0 1 /home/pi/qemu-tests/python3\n"},
            "aarch64",
            {"QEMU_CPU": "max"},
            None,
        ),
        ({"proc/cpuinfo": "model name\t: VirtualApple"}, "x86_64", {}, "Apple"),
    ],
)
def test_emulators_are_seen(files, architecture, environment, word, tmp_path):
    found = emulation(
        lay(tmp_path, files), architecture=architecture, environment=environment
    )
    assert found is None if word is None else word in found


def test_memory_is_of_this_process():
    held = memory()
    ballast = np.ones(8 << 20)  # 64 MiB
    grown = memory()
    assert grown["resident_bytes"] - held["resident_bytes"] > 0.8 * ballast.nbytes
    assert grown["peak_bytes"] >= grown["resident_bytes"]


def test_own_processor_time_is_part_of_the_machines():
    own, busy = processor_seconds()
    assert 0 < own < busy
