"""How a chip is found and listed, and a maker's package that is missing or broken."""

from __future__ import annotations

import pytest
from machines import lay

from edgeseg.devices import MissingDriverError
from edgeseg.devices.chip import Chip, DriverPackage, first_node

PACKAGE = DriverPackage("no_such_driver.api", "the maker's package", "pip install it")


def chip(lacks=lambda root: ""):
    return Chip(
        "abacus", "Abacus", "/dev/abacus0", first_node("abacus*"), lacks, "buy one"
    )


def test_listing_and_opening_see_the_same(tmp_path):
    (found,) = chip().find(tmp_path)
    assert (found.device, found.state) == ("abacus", "absent")
    with pytest.raises(MissingDriverError, match=r"no Abacus found .*: buy one"):
        chip().require(tmp_path)
    lay(tmp_path, {"dev/abacus1": "", "dev/abacus0": ""})
    assert chip().find(tmp_path)[0].state == "ready"
    assert chip().require(tmp_path) == str(tmp_path / "dev/abacus0")
    lacking = chip(PACKAGE.missing)
    (found,) = lacking.find(tmp_path)
    assert (found.state, found.hint) == ("incomplete", "pip install it")
    with pytest.raises(MissingDriverError, match="pip install it"):
        lacking.require(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import no_such_library_at_all", "pip install it .*no_such_library"),
        ("raise OSError('librt.so.9 is too old')", r"cannot be loaded: librt\.so\.9"),
        ("class Broken(Exception): pass\nraise Broken('a\\nb')", "cannot be loaded"),
    ],
)
def test_a_package_that_cannot_be_loaded_is_one_line(
    text, message, tmp_path, monkeypatch
):
    (tmp_path / "driver_of_an_abacus.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    package = DriverPackage("driver_of_an_abacus", "the package", "pip install it")
    assert package.missing(tmp_path) == ""
    with pytest.raises(MissingDriverError, match=message) as caught:
        package.load()
    assert "\n" not in str(caught.value)
