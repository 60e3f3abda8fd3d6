"""How ssh is called."""

from __future__ import annotations

import pytest

from edgeseg.devices import InputError
from edgeseg.runtime.remote.address import BoardAddress
from edgeseg.runtime.remote.link import command


@pytest.mark.parametrize(
    "host",
    [
        "",
        "-oProxyCommand=x",
        "pi@-host",
        "a b",
        "pi@a b",
        "a\tb",
        "a\x1b[2J",
        "@",
        "a@",
    ],
)
def test_what_is_no_host_is_refused(host):
    with pytest.raises(InputError, match="expected USER@HOST"):
        BoardAddress(host)


@pytest.mark.parametrize(
    "host", ["pi@raspberrypi.local", "board", "u@[fe80::1]", "::1"]
)
def test_a_host_is_one_argument_behind_the_options(host):
    call = BoardAddress(host).ssh()
    assert call[-2:] == ["--", host]


def test_keys_are_checked_and_nothing_is_asked(tmp_path):
    key = tmp_path / "key"
    key.touch()
    call = BoardAddress("board", 2222, key, key).ssh()
    assert {"BatchMode=yes", "StrictHostKeyChecking=yes"} <= set(call)
    assert call[call.index("-p") + 1] == "2222"
    assert call[call.index("-i") + 1] == call[call.index("-F") + 1] == str(key)


def test_a_missing_key_file_is_told(tmp_path):
    with pytest.raises(InputError, match="no such key file"):
        BoardAddress("board", identity=tmp_path / "none")


def test_a_python_there_is_quoted_for_its_shell():
    assert "$(touch x)" not in command("a").replace("'", "")
    assert """'"'"'"'"'"'"'"'"'a $(touch x)""" in command("a $(touch x)") or (
        "'a $(touch x)'" in command("a $(touch x)").replace("""'"'"'""", "'")
    )
