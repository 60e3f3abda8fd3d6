"""Five boards with sshd and systemd: installed, updated in waves, and taken back."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
from nspawn_boards import ContainerBoards, why_not

from edgeseg.devices import EdgesegError
from edgeseg.runtime.fleet.files import write_project
from edgeseg.runtime.fleet.packing import BoardKind, pack
from edgeseg.runtime.shipped import find_model

ANSIBLE = shutil.which(
    "ansible-playbook",
    path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
)
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(ANSIBLE is None, reason="needs the extra `fleet`"),
    pytest.mark.skipif(why_not() is not None, reason=f"no boards: {why_not()}"),
]
NAMES = ("b1", "b2", "b3", "b4", "b5")
SMALL = "b2"  # in the second wave, with a small disk for models
PASSWORD = "correct horse 7+"
_RECAP = re.compile(r"^(b\d)\s+: ok=\d+\s+changed=(\d+)\s.*failed=(\d+)", re.MULTILINE)


class Fleet:
    """The desk's folder, and what playbooks said."""

    def __init__(self, folder, boards):
        self.folder, self.boards, self.said = folder, boards, []
        write_project(folder)
        (folder / "models").mkdir()
        hosts = {n: {"ansible_host": b.address} for n, b in boards.boards.items()}
        common = {
            "ansible_user": "root",
            "ansible_ssh_common_args": (boards.folder / "ssh_options").read_text(),
            "ansible_python_interpreter": "/usr/bin/python3",
        }
        inventory = {"boards": {"hosts": hosts, "vars": common}}
        (folder / "inventory.yaml").write_text(json.dumps(inventory))
        (folder / "group_vars/boards/vault.yaml").write_text(
            json.dumps({"edgeseg_mqtt_password": PASSWORD})
        )

    def model(self, number):
        """Let a release be the one that all boards are to have; return its hash."""
        path = self.folder / f"models/door-{number}.tflite"
        shutil.copy(find_model("animals"), path)
        with zipfile.ZipFile(path, "a") as archive:  # another file, the same network
            archive.writestr(zipfile.ZipInfo("release.txt"), str(number))
        digest = sha256(path.read_bytes()).hexdigest()
        source = f"models/{path.name}"
        settings = {
            "edgeseg_models": [{"name": "door", "source": source, "sha256": digest}],
            # boards of one machine disturb each other: no matter how fast
            "edgeseg_watch": 25,
            "edgeseg_memory_max": "infinity",
            "edgeseg_camera": {
                "model": "door",
                "source": "synthetic:320x240,live",
                "fps": 1,
                "threads": 1,
                "output": [
                    "mqtt://edgeseg@10.213.0.1/edgeseg/{{ inventory_hostname }}"
                    "?password_file=/etc/edgeseg/mqtt-password"
                ],
            },
        }
        settings["edgeseg_models"][0]["slower"] = 20
        text = json.dumps(settings)
        (self.folder / "group_vars/boards/settings.yaml").write_text(text)
        return digest

    def play(self, *words):
        """Run a playbook; return exit status, and per board (changed, failed)."""
        environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"}
        environment["ANSIBLE_LOCAL_TEMP"] = str(self.folder / "temporary")
        done = self.boards.call(ANSIBLE, *words, cwd=self.folder, env=environment)
        self.said.append(done.stdout + done.stderr)
        found = _RECAP.findall(done.stdout)
        return done.returncode, {name: (int(c), int(f)) for name, c, f in found}

    def in_use(self):
        """Return the hash of each board's model, where its service is active."""
        found = {}
        for name in NAMES:
            code, said = self.boards.ssh(name, "edgeseg model list --json")
            assert code == 0, said
            (model,) = json.loads(said)["models"]
            (used,) = [each for each in model["versions"] if each["in_use"]]
            assert self.boards.ssh(name, "systemctl is-active edgeseg")[0] == 0, name
            found[name] = used["sha256"]
        return found


def board_python():
    call = ["/usr/bin/python3", "-c", "import sys; print(sys.version_info[1])"]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    return BoardKind.parse(f"{platform.machine()}-cp3{done.stdout.strip()}")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fleet")
    with (
        pytest.MonkeyPatch.context() as patch,
        ContainerBoards(
            folder / "boards", NAMES, {SMALL: "/var/lib/edgeseg:size=12M"}
        ) as boards,
    ):
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        made = Fleet(folder / "fleet", boards)
        try:
            pack(made.folder, board_python(), wheel=None, extras=["mqtt"], glibc="2.27")
        except EdgesegError as error:
            pytest.skip(f"no wheels for boards: {error}")
        yield made


def test_a_fleet_from_nothing_to_a_rollback(fleet):
    first = fleet.model(1)

    status, dry = fleet.play("site.yaml", "--check", "--limit", "b1")
    assert status == 0, fleet.said[-1]
    assert set(dry) == {"b1"}
    assert fleet.boards.ssh("b1", "ls /opt/edgeseg")[0] != 0  # nothing was changed

    status, boards = fleet.play("site.yaml", "--diff")
    assert status == 0, fleet.said[-1]
    assert all(changed > 5 for changed, _ in boards.values())
    assert fleet.in_use() == dict.fromkeys(NAMES, first)
    secret = fleet.boards.boards["b3"].path("/etc/edgeseg/mqtt-password")
    assert secret.read_text() == f"{PASSWORD}\n"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in "".join(fleet.said)

    assert fleet.play("site.yaml") == (0, dict.fromkeys(NAMES, (0, 0))), fleet.said[-1]

    second = fleet.model(2)
    fleet.boards.ssh(SMALL, "dd if=/dev/zero of=/var/lib/edgeseg/filler bs=1k")
    status, boards = fleet.play("site.yaml")
    assert status != 0
    assert set(boards) == {"b1", SMALL}  # the last wave never began
    assert boards[SMALL][1] == 1
    assert "No space left" in fleet.said[-1]
    assert fleet.in_use() == {**dict.fromkeys(NAMES, first), "b1": second}

    fleet.boards.ssh(SMALL, "rm /var/lib/edgeseg/filler")
    status, boards = fleet.play("site.yaml")
    assert status == 0, fleet.said[-1]
    assert boards["b1"] == (0, 0)
    assert fleet.in_use() == dict.fromkeys(NAMES, second)

    status, boards = fleet.play("rollback.yaml")
    assert status == 0, fleet.said[-1]
    assert set(boards) == set(NAMES)
    assert fleet.in_use() == dict.fromkeys(NAMES, first)
    assert PASSWORD not in "".join(fleet.said)
