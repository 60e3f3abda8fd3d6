from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.devices import EdgesegError, InputError
from edgeseg.runtime.commands.service import service
from edgeseg.runtime.service.install import user_namespaces
from edgeseg.runtime.service.unit import ServiceUnit, quoted

ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="needs systemd-analyze")
CONFIG = 'model = "m.tflite"\nsource = "camera:0"\noutput = ["web:", "masks:ids/"]\n'


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A user's folder of services, and a configuration whose path is awkward."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = tmp_path / 'my "cam" 50% $HOME'
    folder.mkdir()
    (folder / "run.toml").write_text(CONFIG)
    return folder / "run.toml"


def call(*words):
    return CliRunner().invoke(service, [str(word) for word in words])


def unit_path(tmp_path):
    return tmp_path / "xdg/systemd/user/edgeseg.service"


def values(text, key):
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


@needs_systemd
@pytest.mark.parametrize("system", [False, True])
def test_systemd_takes_the_unit_and_calls_it_safe(place, tmp_path, system):
    told = call("install", place, "--print", *(["--system"] if system else []))
    assert told.exit_code == 0, told.output
    path = tmp_path / "edgeseg.service"
    path.write_text(told.output)
    manager = [] if system else ["--user"]
    verify = [ANALYZE, *manager, "verify", "--man=no", str(path)]
    verified = subprocess.run(verify, capture_output=True, encoding="utf-8", timeout=60)
    assert (verified.returncode, verified.stderr) == (0, "")
    command = [ANALYZE, "security", "--offline=true", "--threshold=50", str(path)]
    scored = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60)
    assert scored.returncode == 0, scored.stdout[-200:]
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", scored.stdout)
    assert float(level[1]) <= 5.0


@needs_systemd
def test_systemd_reads_the_awkward_path_as_it_is(place, tmp_path):
    """A program of that very path must be found: verify looks for it."""
    program = tmp_path / "50% $HOME" / "edge seg"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    for mode, expected in ((0o755, 0), (0o644, 1)):
        program.chmod(mode)
        text = ServiceUnit((str(program),), place).text()
        path = tmp_path / "edgeseg.service"
        path.write_text(text)
        verify = [ANALYZE, "verify", "--man=no", str(path)]
        told = subprocess.run(verify, capture_output=True, encoding="utf-8", timeout=60)
        assert told.returncode == expected, told.stderr


def test_the_unit_says_what_a_service_needs(place):
    text = call("install", place, "--print", "--watchdog", 12).output
    assert values(text, "Type") == ["notify"]
    assert values(text, "WatchdogSec") == ["12"]
    assert values(text, "MemoryMax") == ["1G"]
    assert values(text, "Restart") == ["on-failure"]
    assert values(text, "WantedBy") == ["default.target"]
    if user_namespaces():
        (writable,) = values(text, "ReadWritePaths")
        assert writable == quoted(str(place.parent / "ids"))
        assert "char-video4linux rw" in values(text, "DeviceAllow")


def test_a_user_s_sandbox_is_made_with_a_namespace_of_its_own(place):
    told = call("install", place, "--print")
    mine = values(told.output, "PrivateUsers")
    assert mine == (["yes"] if user_namespaces() else [])
    assert bool(mine) == bool(values(told.output, "ProtectSystem"))
    system = call("install", place, "--print", "--system")
    assert values(system.output, "ProtectSystem") == ["strict"]
    assert not values(system.output, "PrivateUsers")  # it has users beside its own


def allowed(place, *lines):
    """Return what `service install --print` allows a configuration to open."""
    place.write_text(CONFIG + "".join(f"{line}\n" for line in lines))
    told = call("install", place, "--print", "--system")
    assert told.exit_code == 0, told.output
    return {line.removesuffix(" rw") for line in values(told.output, "DeviceAllow")}


EDGE_TPU = {"char-usb_device", "char-apex"}


@pytest.mark.parametrize(
    ("device", "nodes"),
    [
        ("coral", EDGE_TPU),
        ("coral:usb", {"char-usb_device"}),
        ("coral:usb:0", {"char-usb_device"}),
        ("coral:pci", {"char-apex"}),
        ("coral:pci:1", {"char-apex"}),
        ("coral:or-cpu", EDGE_TPU),
        ("raspberry_pi", set()),
        ("jetson:gpu", set()),
    ],
)
def test_a_coral_is_allowed_and_nothing_else(place, device, nodes):
    usual = allowed(place)
    assert allowed(place, f'device = "{device}"') - usual == nodes
    assert not EDGE_TPU & usual


def test_an_edge_tpu_that_is_taken_unasked_is_allowed(place, monkeypatch):
    name = "edgeseg.runtime.service.install.automatic_device"
    monkeypatch.setattr(name, lambda model: f"coral:{model.stem}")
    usual = place.with_name("usual.toml")
    config = CONFIG.replace("m.tflite", "usb.tflite")
    usual.write_text(config)
    text = call("install", usual, "--print", "--system").output
    assert "char-usb_device rw" in values(text, "DeviceAllow")
    assert "char-apex rw" not in values(text, "DeviceAllow")


def test_a_device_that_is_none_is_refused(place):
    place.write_text(f'{CONFIG}device = "edgetpu"\n')
    told = call("install", place, "--print")
    assert "did you mean 'coral'?" in str(told.exception)


def unquoted(word):
    """Read a quoted word as systemd.syntax(7) and systemd.service(5) say."""
    inner = re.sub(r"\\(.)", r"\1", word[1:-1])
    return inner.replace("$$", "$").replace("%%", "%")


# halves of pairs are in no name that systemd takes
NAMES = st.characters(min_codepoint=32, exclude_characters="\x7f", codec="utf-8")


@given(st.text(NAMES, min_size=1))
def test_a_quoted_word_reads_back(text):
    word = quoted(text)
    assert unquoted(word) == text
    assert not re.search(r"(?<!%)(%%)*%(?!%)", word.replace("%%", ""))


def test_a_name_with_a_line_feed_is_refused():
    with pytest.raises(InputError, match="control characters"):
        quoted("a\nExecStartPre=/bin/true")


def test_a_program_that_systemd_would_not_start_is_refused(place):
    with pytest.raises(InputError, match="quotes or backslashes"):
        ServiceUnit((str(place.parent / "edgeseg"),), place).text()


def test_install_status_remove(place, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))  # no systemctl
    told = call("install", place)
    assert told.exit_code == 0
    assert "systemctl --user enable --now edgeseg.service" in told.output
    assert (place.parent / "ids").is_dir()
    assert call("install", place).exit_code == 0  # ours: written anew
    assert "systemctl is not installed" in call("status").output
    assert call("remove").exit_code == 0
    assert not unit_path(tmp_path).exists()
    assert "there is no service" in str(call("remove").exception)
    assert "there is no service" in str(call("status").exception)


def test_a_second_installation_says_that_nothing_changes(place, tmp_path):
    assert f"written: {unit_path(tmp_path)}" in call("install", place).output
    before = unit_path(tmp_path).stat().st_mtime_ns
    assert f"unchanged: {unit_path(tmp_path)}" in call("install", place).output
    assert unit_path(tmp_path).stat().st_mtime_ns == before
    done = call("install", place, "--watchdog", 60)
    assert f"written: {unit_path(tmp_path)}" in done.output


def test_systemctl_is_called_in_order(place, tmp_path, monkeypatch):
    fake = tmp_path / "systemctl"
    fake.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert "start it" in call("install", place, "--name", "door").output
    assert call("remove", "--name", "door").exit_code == 0
    assert (tmp_path / "calls").read_text("utf-8").splitlines() == [
        "--user daemon-reload",
        "--user enable door.service",
        "--user disable --now door.service",
        "--user daemon-reload",
    ]


def test_a_unit_of_another_is_left_alone(place, tmp_path):
    path = unit_path(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text("[Service]\nExecStart=/bin/true\n")
    for words in (["install", place], ["remove"]):
        told = call(*words)
        assert isinstance(told.exception, EdgesegError)
        assert "not written by edgeseg" in str(told.exception)
    assert path.read_text("utf-8").startswith("[Service]")
    assert list(path.parent.iterdir()) == [path]
    assert call("install", place, "--overwrite").exit_code == 0
    assert "Type=notify" in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--memory-max", "much"], "--memory-max: expected"),
        (["--name", "../evil"], "expected a service name"),
        (["--run-as", "root"], "needs --system"),
        (["--system", "--run-as", "no-such-user-here"], "no user"),
    ],
)
def test_wrong_values_are_named(place, words, message):
    told = call("install", place, "--print", *words)
    assert message in str(told.exception)


def test_a_configuration_without_a_source_is_refused(tmp_path):
    (tmp_path / "run.toml").write_text('model = "m.tflite"')
    told = call("install", tmp_path / "run.toml", "--print")
    assert "the key 'source' is missing" in str(told.exception)


def test_machines_without_namespaces_for_users_are_noticed(tmp_path):
    assert user_namespaces(tmp_path)
    path = tmp_path / "proc/sys/kernel/apparmor_restrict_unprivileged_userns"
    path.parent.mkdir(parents=True)
    path.write_text("1\n")
    assert not user_namespaces(tmp_path)
    assert (
        "ProtectSystem" not in ServiceUnit(("e",), Path("/c"), namespaces=False).text()
    )


def test_secrets_that_others_can_read_are_warned_of(place, caplog):
    place.chmod(0o644)
    beside = place.with_suffix(".env")
    beside.write_text("EDGESEG_TOKEN=abcdefgh\n")
    beside.chmod(0o644)
    told = call("install", place, "--print")
    assert told.exit_code == 0, told.output
    assert f"chmod 600 {beside}" in caplog.text
    caplog.clear()
    beside.chmod(0o600)
    call("install", place, "--print")
    assert not caplog.text
    place.write_text(CONFIG.replace("web:", "web:0.0.0.0?token=abcdefgh"))
    call("install", place, "--print")
    assert f"chmod 600 {place}" in caplog.text
    assert "abcdefgh" not in caplog.text


@pytest.mark.parametrize("suffix", [".toml", ".env"])
def test_what_every_user_may_change_is_refused(place, suffix, tmp_path):
    place.with_suffix(suffix).touch()
    place.with_suffix(suffix).chmod(0o666)
    told = call("install", place)
    assert isinstance(told.exception, InputError)
    assert "chmod 600" in str(told.exception)
    assert not unit_path(tmp_path).exists()
