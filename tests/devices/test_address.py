"""The grammar of device strings, and what is said to those that nearly keep it."""

from __future__ import annotations

import pytest

from edgeseg.devices import DEVICES, PluginFolder, UnknownPluginError
from edgeseg.devices.address import DeviceAddress, parse_address, profile_of


def every_string():
    for name in DEVICES.names():
        for unit in profile_of(DEVICES, name).units:
            yield f"{name}:{unit.name}" if unit.name else name
            if unit.numbered:
                yield f"{name}:{unit.name}:0"


@pytest.mark.parametrize("text", list(every_string()))
def test_what_a_file_offers_is_understood(text):
    assert str(parse_address(text, DEVICES)) == text


def test_a_number_is_a_number():
    assert parse_address("coral:usb:12", DEVICES) == DeviceAddress("coral", "usb", 12)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("corral", "coral"),
        ("Coral", "coral"),
        ("coral:ubs", "coral:usb"),
        ("coral:ubs:1", "coral:usb:1"),
        ("CORAL:USB:0", "coral:usb:0"),
        ("coral-usb", "coral"),
        ("rasberry_pi", "raspberry_pi"),
        ("raspberry-pi", "raspberry_pi"),
        ("jetson:tensort", "jetson:tensorrt"),
        ("desktop:cp", "desktop:cpu"),
        # other tools' words
        ("usb:0", "coral:usb:0"),
        ("edgetpu", "coral"),
        ("cpu", "desktop:cpu"),
        ("tensorrt", "jetson:tensorrt"),
        ("rpi", "raspberry_pi"),
    ],
)
def test_the_string_that_was_meant_is_named(text, meant):
    with pytest.raises(UnknownPluginError, match=f"did you mean '{meant}'") as caught:
        parse_address(text, DEVICES)
    assert "\n" not in str(caught.value)
    parse_address(meant, DEVICES)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "::",
        "npu",
        "coral:usb:x",
        "coral:usb:-1",
        "coral:usb:0:1",
        "coral:usb:\u00b2",
        "desktop:cpu:0",
        "_base",
        "fake:1",
        "coral::0",
    ],
)
def test_the_rest_is_refused_with_what_is_known(text):
    with pytest.raises(UnknownPluginError, match="known: ") as caught:
        parse_address(text, DEVICES)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", DEVICES.names())
def test_every_device_describes_itself(name, tmp_path):
    profile = profile_of(DEVICES, name)
    assert profile.summary
    assert profile.verified
    assert profile.find is not None
    for found in profile.find(tmp_path):
        assert found.state in ("ready", "incomplete", "absent")
        assert found.hint
        parse_address(found.device, DEVICES)


def test_a_file_that_needs_a_package_does_not_hide_the_answer(tmp_path, monkeypatch):
    package = tmp_path / "devices_of_a_test"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "needy.py").write_text("import a_package_that_is_not_there\n")
    (package / "plain.py").write_text("PLUGIN = print\n")
    monkeypatch.syspath_prepend(tmp_path)
    folder = PluginFolder("device", "devices_of_a_test")
    with pytest.raises(UnknownPluginError, match="known: needy, plain"):
        parse_address("nothing:like:it", folder)
    # without a PROFILE any unit is the file's own business
    assert parse_address("plain:any:thing", folder) == DeviceAddress(
        "plain", "any:thing"
    )
