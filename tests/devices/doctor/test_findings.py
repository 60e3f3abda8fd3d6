"""Each finding provoked alone, on a machine laid out for it, with its fix."""

from __future__ import annotations

import dataclasses

import pytest
from machines import PI_4, cpuinfo, lay, os_release, pci_coral, tree, usb_coral

from edgeseg.devices.doctor import Machine, worst
from edgeseg.devices.doctor.camera import check_camera
from edgeseg.devices.doctor.coral import check_coral, check_gpu
from edgeseg.devices.doctor.machine import check_clock
from edgeseg.devices.doctor.memory import check_memory, check_storage
from edgeseg.devices.doctor.power import check_power
from edgeseg.devices.doctor.wheels import check_wheels

CHECKS = (
    check_wheels,
    check_camera,
    check_coral,
    check_gpu,
    check_power,
    check_memory,
    check_clock,
    check_storage,
)
HEALTHY = {
    **PI_4,
    "etc/group": "root:x:0:\nvideo:x:44:pi\nrender:x:106:\nplugdev:x:46:\napex:x:7:\n",
    "proc/swaps": "Filename\tType\tSize\n/dev/zram0\tpartition\t1\n",
    "dev/video0": "",
    "dev/dri/renderD128": "",
    "usr/lib/python3/dist-packages/picamera2/__init__.py": "",
    "usr/lib/python3/dist-packages/libcamera/_libcamera.cpython-311-aarch64-linux-gnu"
    ".so": "",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
    "sys/class/thermal/thermal_zone0/temp": "45000\n",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "0\n",
}
COMMANDS = {
    "rpicam-hello": "0 : imx708 [4608x2592] (/base/soc/i2c)",
    "vcgencmd": "gpu=76M",
    "timedatectl": "yes",
}
ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\xb7\x00" + bytes(44)
LIBRARY = {"usr/lib/aarch64-linux-gnu/libedgetpu.so.1": ELF}
RULE = {"etc/udev/rules.d/60-libedgetpu1-std.rules": "1a6e 089a 18d1 9302 plugdev\n"}
TF_2_15 = {"var/lib/dpkg/status": "Package: libedgetpu1-std\nVersion: 16.0tf2.15.0-1\n"}
GOOGLES = {"var/lib/dpkg/status": "Package: libedgetpu1-max\nVersion: 16.0\n"}
CORAL = {**usb_coral(), **LIBRARY, **RULE, **TF_2_15}
JETSON = {**HEALTHY, **tree("NVIDIA Jetson Orin Nano", "a,b", "nvidia,tegra234")}
JETSON = {
    **JETSON,
    "proc/cpuinfo": cpuinfo("0xd42"),
    **os_release("U", "ubuntu", "22.04"),
}
ICD = "usr/share/vulkan/icd.d/{}.json"
LVP = {ICD.format("lvp"): '{"ICD": {"library_path": "libvulkan_lvp.so"}}'}
NVIDIA = {ICD.format("nvidia"): '{"ICD": {"library_path": "libGLX_nvidia.so.0"}}'}
PACKAGES = {
    "numpy": "2.2.0",
    "ai-edge-litert": "2.3.0",
    "opencv-python-headless": "4.11.0.86",
}
OLD = {"numpy": "1.26.4", "tflite-runtime": "2.14.0", "opencv-python-headless": "4.11"}


def command(folder, name, text, *, code=0):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit {code}\n")
    path.chmod(0o755)


def machine(tmp_path, files, commands=COMMANDS, **changes):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in commands.items():
        command(programs, name, text)
    healthy = Machine(
        root=lay(tmp_path / "root", files),
        # cat is what the fake commands are made of
        path=f"{programs}",
        architecture="aarch64",
        bits=64,
        python=(3, 11),
        libc=("glibc", "2.36"),
        packages=PACKAGES,
        user="pi",
        is_root=False,
        groups=frozenset({"pi", "video", "render", "plugdev", "apex"}),
        in_venv=True,
        sees_system=True,
        year=2026,
        free_bytes=8 << 30,
        page_bytes=4096,
    )
    return dataclasses.replace(healthy, **changes)


def examined(where):
    return {f.id: f for check in CHECKS for f in check(where)}


@pytest.mark.parametrize(
    "files",
    [
        HEALTHY,
        {**HEALTHY, **CORAL},
        {**HEALTHY, **LIBRARY, **TF_2_15},
        {**HEALTHY, **pci_coral(number=0), **LIBRARY, **TF_2_15},
        {**JETSON, **NVIDIA},
    ],
)
def test_a_healthy_machine_has_nothing(files, tmp_path, monkeypatch):
    monkeypatch.delenv("EDGESEG_LIBEDGETPU", raising=False)
    found = examined(machine(tmp_path, files))
    assert worst(tuple(found.values())) == "ok", found
    assert not any(finding.fix for finding in found.values())


THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
GOVERNOR = "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
HEAT = "sys/class/thermal/thermal_zone0/temp"
MEMORY = "MemTotal: {} kB\nMemAvailable: {} kB\n"
NO_GROUPS = frozenset({"pi"})
CASES = [
    # Python and wheels
    ({}, {"python": (3, 9)}, "python", "error", "uv venv --python 3.12"),
    ({}, {"python": (3, 15)}, "python", "warning", "uv venv --python 3.12"),
    ({}, {"bits": 32}, "userland", "error", "64-bit system image"),
    ({}, {"libc": ("", "")}, "libc", "error", "instead of Alpine"),
    ({}, {"libc": ("glibc", "2.24")}, "libc", "error", "newer system image"),
    ({}, {"packages": {**OLD, "numpy": "2.0.1"}}, "numpy", "error", "'numpy<2'"),
    ({}, {"packages": {}}, "numpy", "error", "pip install numpy"),
    ({}, {"packages": {}}, "interpreter", "error", "pip install ai-edge-litert"),
    ({}, {"packages": {}}, "opencv", "note", "opencv-python-headless"),
    (
        {},
        {"packages": {**PACKAGES, "opencv-python": "4.10"}},
        "opencv",
        "warning",
        "uninstall opencv-python opencv-python-headless",
    ),
    (os_release("D", "debian", "11"), {}, "image", "warning", "uv python install"),
    # camera
    ({}, {"groups": NO_GROUPS}, "group-video", "error", "sudo usermod -aG video pi"),
    ({}, {"groups": NO_GROUPS}, "group-render", "error", "sudo usermod -aG render pi"),
    ({}, {"sees_system": False}, "picamera2", "error", "--system-site-packages"),
    ({}, {"python": (3, 12)}, "picamera2", "error", "/usr/bin/python3 -m venv"),
    # Coral
    ({**CORAL, **usb_coral(speed="480")}, {}, "coral-usb2", "warning", "USB 3 socket"),
    ({**CORAL, **usb_coral(started=False)}, {}, "coral-firmware", "note", None),
    (CORAL, {"groups": NO_GROUPS}, "group-plugdev", "error", "-aG plugdev pi"),
    (
        {**CORAL, **dict.fromkeys(RULE, "")},
        {},
        "coral-udev",
        "warning",
        "libedgetpu1-std",
    ),
    ({**usb_coral(), **RULE}, {}, "coral-library", "error", "libedgetpu1-std"),
    ({**CORAL, **GOOGLES}, {}, "coral-match", "error", "TensorFlow 2.13 or later"),
    (
        {**CORAL, **GOOGLES},
        {"packages": OLD},
        "coral-match",
        "error",
        "TensorFlow 2.13",
    ),
    ({**LIBRARY, **GOOGLES}, {}, "coral-match", "warning", "TensorFlow 2.13 or later"),
    (
        dict.fromkeys(LIBRARY, "text") | usb_coral(),
        {},
        "coral-library",
        "error",
        "arch",
    ),
    (CORAL, {"architecture": "x86_64"}, "coral-library", "error", "architecture"),
    ({**CORAL, "var/lib/dpkg/status": ""}, {}, "coral-match", "note", None),
    ({**pci_coral(), **LIBRARY}, {}, "coral-driver", "error", "gasket-dkms"),
    (pci_coral(number=0), {"groups": NO_GROUPS}, "group-apex", "error", "-aG apex pi"),
    # power and heat
    ({GOVERNOR: "powersave"}, {}, "governor", "warning", "echo performance"),
    ({GOVERNOR: "ondemand"}, {}, "governor", "note", "echo performance"),
    ({HEAT: "84000"}, {}, "temperature", "warning", "heat sink"),
    ({HEAT: "74000"}, {}, "temperature", "note", "heat sink"),
    ({THROTTLED: "50005"}, {}, "under-voltage", "error", "power supply"),
    ({THROTTLED: "10000"}, {}, "under-voltage", "warning", "power supply"),
    ({THROTTLED: "4"}, {}, "throttled", "warning", "heat sink"),
    # memory
    (
        {"proc/meminfo": MEMORY.format(4 << 20, 100 << 10)},
        {},
        "memory",
        "warning",
        "end",
    ),
    (
        {"proc/meminfo": MEMORY.format(900 << 10, 600 << 10), "proc/swaps": "Filename"},
        {},
        "swap",
        "warning",
        "zram",
    ),
    ({"proc/swaps": "Filename\n/var/swap file 1\n"}, {}, "swap", "note", "zram"),
    # clock and storage
    ({}, {"year": 1970}, "clock", "error", "sudo timedatectl set-ntp true"),
    ({}, {"free_bytes": 100 << 20}, "disk", "warning", "apt clean"),
    ({}, {"free_bytes": 1 << 20}, "disk", "error", "apt clean"),
    ({}, {"page_bytes": 16384}, "page-size", "note", "kernel=kernel8.img"),
]


@pytest.mark.parametrize(("files", "changes", "id_", "severity", "fix"), CASES)
def test_a_defect_is_found(files, changes, id_, severity, fix, tmp_path, monkeypatch):
    monkeypatch.delenv("EDGESEG_LIBEDGETPU", raising=False)
    where = machine(tmp_path, {**HEALTHY, **files}, **changes)
    finding = examined(where)[id_]
    assert finding.severity == severity
    assert finding.found
    assert finding.why
    assert (finding.fix is None) if fix is None else (fix in finding.fix.text)


@pytest.mark.parametrize(
    ("name", "text", "id_", "severity", "fix"),
    [
        ("rpicam-hello", "No cameras available!", "csi-camera", "warning", "cable"),
        ("vcgencmd", "gpu=512M", "gpu-memory", "note", "gpu_mem=64"),
        ("timedatectl", "no", "clock", "warning", "sudo timedatectl set-ntp true"),
    ],
)
def test_what_commands_tell(name, text, id_, severity, fix, tmp_path):
    where = machine(tmp_path, HEALTHY, {**COMMANDS, name: text})
    finding = examined(where)[id_]
    assert finding.severity == severity
    assert finding.why
    assert fix in finding.fix.text


def test_the_firmware_is_asked_where_sysfs_is_silent(tmp_path):
    files = {k: v for k, v in HEALTHY.items() if k != THROTTLED}
    where = machine(tmp_path, files, {"vcgencmd": "throttled=0x50005"})
    assert examined(where)["under-voltage"].severity == "error"


def test_a_camera_that_is_not_there_is_a_note(tmp_path):
    files = {k: v for k, v in HEALTHY.items() if not k.startswith("dev/video")}
    found = examined(machine(tmp_path, files))["camera-nodes"]
    assert found.severity == "note"


def test_picamera2_that_is_not_there(tmp_path):
    files = {k: v for k, v in HEALTHY.items() if "picamera2" not in k}
    finding = examined(machine(tmp_path, files))["picamera2"]
    assert finding.severity == "warning"
    assert finding.fix.text == "sudo apt install python3-picamera2"


@pytest.mark.parametrize("drivers", [{}, LVP])
def test_a_jetson_without_its_vulkan_driver(drivers, tmp_path):
    finding = examined(machine(tmp_path, {**JETSON, **drivers}))["vulkan"]
    assert finding.severity == "warning"
    assert "nvidia-l4t" in finding.fix.text


def test_the_processor_drawing_is_no_gpu(tmp_path):
    finding = examined(machine(tmp_path, {**HEALTHY, **LVP}))["vulkan"]
    assert finding.severity == "note"
    assert "draw with the processor" in finding.found


def test_root_needs_no_groups(tmp_path):
    where = machine(tmp_path, HEALTHY, is_root=True, groups=frozenset({"root"}))
    assert worst(tuple(examined(where).values())) == "ok"


def test_an_empty_machine_is_examined_too(tmp_path):
    found = examined(machine(tmp_path, {}, {}))
    assert found["board"].severity == "ok"
    assert "error" not in {f.severity for f in found.values()}


def test_this_machine_is_described():
    here = Machine()
    assert here.packages["numpy"]
    assert here.groups
    assert here.free_bytes > 0
    assert here.run("no-such-command") is None
    assert here.run("sh", "-c", "exit 3") is None
