"""`edgeseg doctor`: exit codes, fixes and the report, without the child's checks."""

from __future__ import annotations

import json
import socket

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.devices.doctor import Finding, Fix, Machine
from edgeseg.devices.doctor.bugreport import Identity, mask, report_text
from edgeseg.devices.doctor.examination import run_fixes
from edgeseg.runtime.commands.doctor import doctor

ME = Identity("ada", "/home/ada", "attic")
NTP = Fix(("timedatectl", "set-ntp", "true"), is_safe=True, needs_root=True)


@pytest.fixture
def findings(monkeypatch):
    """Let the command find what a test wants."""
    found = []
    monkeypatch.setattr(
        "edgeseg.devices.doctor.examination.examine", lambda machine: tuple(found)
    )
    return found


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Commands that write down how they were called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, code in (("timedatectl", 0), ("usermod", 6), ("sudo", 0)):
        path = folder / name
        log = tmp_path / "calls"
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {log}\nexit {code}\n')
        path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return tmp_path / "calls"


def test_exit_code_and_text(findings):
    findings += [Finding("a", "ok", "fine"), Finding("b", "warning", "odd", "so", NTP)]
    done = CliRunner().invoke(doctor, [])
    assert done.exit_code == 0
    assert "fix: sudo timedatectl set-ntp true" in done.output
    assert "1 ok, 0 note, 1 warning, 0 error" in done.output
    findings.append(Finding("c", "error", "bad"))
    assert CliRunner().invoke(doctor, []).exit_code == 1


def test_nothing_is_fixed_unasked(findings, programs):
    findings.append(Finding("clock", "warning", "x", "y", NTP))
    assert json.loads(CliRunner().invoke(doctor, ["--json"]).stdout)["fixes"] == []
    assert not programs.exists()


def test_fixes_are_shown_run_and_told(findings, programs, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    findings += [
        Finding("clock", "warning", "x", "y", NTP),
        Finding("clock-again", "warning", "x", "y", NTP),
        Finding("disk", "error", "x", "y", Fix("rm -r ~")),
        Finding(
            "group", "error", "x", "y", Fix(("usermod", "-aG", "video", "ada"), True)
        ),
    ]
    done = CliRunner().invoke(doctor, ["--fix", "--json"])
    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        "$ timedatectl set-ntp true",
        "$ usermod -aG video ada",
    ]
    runs = json.loads(done.stdout)["fixes"]
    assert [(r["id"], r["succeeded"]) for r in runs] == [
        ("clock", True),
        ("group", False),
    ]
    assert programs.read_text().splitlines() == [
        "timedatectl set-ntp true",
        "usermod -aG video ada",
    ]


def test_sudo_is_used_and_may_not_ask(programs):
    machine = Machine(is_root=False)
    shown = []
    (run,) = run_fixes((Finding("c", "warning", "x", "y", NTP),), machine, shown.append)
    assert shown == ["sudo -n timedatectl set-ntp true"]
    assert run.succeeded
    assert programs.read_text() == "sudo -n timedatectl set-ntp true\n"


def test_a_fix_without_its_program(tmp_path):
    machine = Machine(path=str(tmp_path), is_root=True)
    (run,) = run_fixes(
        (Finding("c", "error", "", "", NTP),), machine, lambda text: None
    )
    assert (run.succeeded, run.told) == (False, "timedatectl is not installed")


def test_the_report_is_written_whole(findings, tmp_path):
    findings.append(Finding("a", "error", f"in {tmp_path} by 10.1.2.3"))
    path = tmp_path / "new" / "report.txt"
    done = CliRunner().invoke(doctor, ["--report", str(path)])
    assert done.exit_code == 1
    text = path.read_text()
    assert "== findings" in text
    assert "== packages" in text
    assert "10.1.2.3" not in text
    assert [p.name for p in path.parent.iterdir()] == ["report.txt"]


def test_a_report_that_cannot_be_written(findings, tmp_path):
    done = CliRunner().invoke(doctor, ["--report", str(tmp_path)])
    assert done.exit_code == 1
    assert "a folder of that name is there" in str(done.exception)


def test_the_report_tells_nobodys_name(tmp_path, monkeypatch):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "hostname").write_text("attic\n")
    monkeypatch.setenv("HOME", "/home/ada")
    found = (Finding("g", "error", "user ada on attic, /home/ada/m.tflite"),)
    text = report_text(found, Machine(root=tmp_path, user="ada"))
    assert not {"ada", "attic"} & set(text.replace(",", " ").replace("/", " ").split())
    assert "<home>/m.tflite" in text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("user ada logs in", "user <user> logs in"),
        ("adapter, canada", "adapter, canada"),
        ("attic login", "<host> login"),
        ("/home/ada/models/x", "<home>/models/x"),
        ("/home/grace/x", "<home>/x"),
        ("at 192.168.1.7:80", "at <ip>:80"),
        ("fe80::1ff:fe23:4567:890a here", "<ip> here"),
        ("2001:db8:0:1:1:1:1:1", "<ip>"),
        ("b8:27:eb:01:02:03", "<mac>"),
        ('ssid="My Home"', "ssid=<wi-fi>"),
        ("wpa_passphrase=geheim", "wpa_passphrase=<secret>"),
        ("psk: 'a b'", "psk: <secret>"),
        ("MQTT_PASSWORD=hunter2", "MQTT_PASSWORD=<secret>"),
        ("Authorization: Bearer abcdefghijkl", "<token>"),
        ("ghp_0123456789abcdefghij", "<token>"),
        ("hf_0123456789abcdefghij", "<token>"),
        ("AKIAABCDEFGHIJKLMNOP", "<token>"),
        ("rtsp://me:pw@camera/1", "rtsp://<user>@camera/1"),
        ("Serial : 10000000abcdef01", "Serial : <serial>"),
        ("SerialNumber: A1B2", "SerialNumber: <serial>"),
        # what must stay readable
        ("opencv-python-headless==4.11.0.86", "opencv-python-headless==4.11.0.86"),
        ("libedgetpu 16.0tf2.15.0-1", "libedgetpu 16.0tf2.15.0-1"),
        ("coral:usb:0 at 12:30:05", "coral:usb:0 at 12:30:05"),
        ("[   12.256263] usb 1-1: new", "[   12.256263] usb 1-1: new"),
    ],
)
def test_secrets_are_masked(text, masked):
    assert mask(text, ME) == masked


@given(st.text(), st.ip_addresses(v=4).map(str))
def test_no_address_gets_through(text, address):
    assert f" {address} " not in mask(f"{text} {address} {text}", ME)


def test_names_that_are_nobodys_stay():
    nobody = Identity("root", "/", "localhost")
    assert mask("root on localhost in /usr", nobody) == "root on localhost in /usr"


def test_this_machines_name_is_masked():
    host = socket.gethostname()
    if host in ("localhost", ""):
        pytest.skip("this machine has no name of its own")
    assert host not in mask(f"on {host} now", Identity("x", "/", host)).split()
