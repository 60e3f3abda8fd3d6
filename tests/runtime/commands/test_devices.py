"""`edgeseg devices`: the board and what --device takes, as text and as JSON."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from machines import PI_4, lay, tree, usb_coral

from edgeseg.devices import DEVICES
from edgeseg.devices.inventory import inventory
from edgeseg.runtime.commands.devices import devices, inventory_text


def test_json_and_text_of_this_machine():
    told = json.loads(CliRunner().invoke(devices, ["--json"]).stdout)
    assert told["auto"] in DEVICES.names()
    assert {entry["state"] for entry in told["devices"]} <= {
        "ready",
        "incomplete",
        "absent",
    }
    text = CliRunner().invoke(devices, []).stdout
    assert all(entry["device"] in text for entry in told["devices"])


def test_a_pi_with_a_coral(tmp_path, monkeypatch):
    monkeypatch.delenv("EDGESEG_LIBEDGETPU", raising=False)
    told = inventory(lay(tmp_path, {**PI_4, **usb_coral(speed="480")}))
    json.dumps(told)
    states = {entry["device"]: entry["state"] for entry in told["devices"]}
    assert told["auto"] == "raspberry_pi"
    assert states["raspberry_pi:cpu"] == "ready"
    assert states["coral:usb:0"] == "incomplete"
    assert states["jetson:cpu"] == "absent"
    assert told["profile"]["camera"] == "picamera"
    text = inventory_text(told)
    for words in ("Raspberry Pi 4 Model B", "BCM2711", "Cortex-A72", "3.7 GiB"):
        assert words in text


@pytest.mark.parametrize(
    ("files", "auto"),
    [({}, "desktop"), (tree("Radxa ROCK 5B", "rockchip,rk3588"), "generic")],
)
def test_machines_that_tell_little(files, auto, tmp_path):
    told = inventory(lay(tmp_path, files))
    assert told["auto"] == auto
    assert inventory_text(told)
