"""The folder of a fleet's playbooks, played against boards on this machine."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import zipfile
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from nspawn_boards import why_not
from PIL import Image

from edgeseg.devices import EdgesegError
from edgeseg.runtime.fleet.files import write_project
from edgeseg.runtime.fleet.packing import BoardKind, pack
from edgeseg.runtime.shipped import find_model

_PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
ANSIBLE = shutil.which("ansible-playbook", path=_PATH)
PASSWORD = "correct horse 7+"
NEEDS = [
    pytest.mark.long,
    # a quarter of an hour and gigabytes: more than a run of all long tests should have
    pytest.mark.skipif(not os.environ.get("EDGESEG_BOARDS"), reason="EDGESEG_BOARDS=1"),
    pytest.mark.skipif(ANSIBLE is None, reason="needs the extra `fleet`"),
    pytest.mark.skipif(why_not() is not None, reason=f"no boards: {why_not()}"),
]
_PHOTOS = ("astronaut.jpg", "cat.jpg")
_RECAP = re.compile(r"^(\w+)\s+: ok=\d+\s+changed=(\d+)\s.*failed=(\d+)", re.MULTILINE)


class Fleet:
    """The desk's folder, and what playbooks said.

    Parameters
    ----------
    folder : Path
        Made.
    boards : ContainerBoards
        All of them are in the inventory.
    base : Path or None
        The model that all releases are; None for the one that ships.
    **options
        More of what is said of a model in the settings.
    """

    def __init__(self, folder, boards, base=None, **options):
        self.folder, self.boards, self.said = folder, boards, []
        self._base, self._options = base or find_model("animals"), options
        self.figures = []  # of each playbook
        self._settings = {
            # boards of one machine disturb each other: no matter how fast
            "edgeseg_watch": 25,
            "edgeseg_memory_max": "infinity",
            "edgeseg_start_s": 300,
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

    def pack(self, kind):
        """Fetch the wheels for a kind of board, or skip the test."""
        try:
            pack(self.folder, kind, wheel=None, extras=["mqtt"], glibc="2.27")
        except EdgesegError as error:
            pytest.skip(f"no wheels for boards: {error}")

    def set(self, **settings):
        """Write more of what all boards have."""
        self._settings.update(settings)
        path = self.folder / "group_vars/boards/settings.yaml"
        path.write_text(json.dumps(self._settings))

    def release(self, number):
        """Return the file of a release: the same network in another file."""
        path = self.folder / f"models/door-{number}.tflite"
        shutil.copy(self._base, path)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(zipfile.ZipInfo("release.txt"), str(number))
        return path

    def model(self, number):
        """Let a release be the one that all boards are to have; return its hash."""
        path = self.release(number)
        digest = sha256(path.read_bytes()).hexdigest()
        model = {"name": "door", "source": f"models/{path.name}", "sha256": digest}
        self.set(edgeseg_models=[{**model, "slower": 20, **self._options}])
        return digest

    def play(self, *words):
        """Run a playbook; return exit status, and per board (changed, failed)."""
        environment = {**os.environ, "PATH": _PATH, "LC_ALL": "C.UTF-8"}
        environment["ANSIBLE_NOCOLOR"] = "1"
        environment["ANSIBLE_LOCAL_TEMP"] = str(self.folder / "temporary")
        start = time.monotonic()
        done = self.boards.call(ANSIBLE, *words, cwd=self.folder, env=environment)
        seconds = round(time.monotonic() - start, 1)
        self.said.append(done.stdout + done.stderr)
        found = _RECAP.findall(done.stdout)
        boards = {name: (int(c), int(f)) for name, c, f in found}
        changed = {name: each[0] for name, each in boards.items()}
        failed = [name for name, each in boards.items() if each[1]]
        self.figures.append(
            {
                "playbook": " ".join(words),
                "seconds": seconds,
                "changed": changed,
                "failed": failed,
            }
        )
        return done.returncode, boards

    def in_use(self):
        """Return the hash of each board's model, where its service is active."""
        found = {}
        for name in self.boards.boards:
            code, said = self.boards.ssh(name, "edgeseg model list --json")
            assert code == 0, said
            (model,) = json.loads(said)["models"]
            (used,) = [each for each in model["versions"] if each["in_use"]]
            assert self.boards.ssh(name, "systemctl is-active edgeseg")[0] == 0, name
            found[name] = used["sha256"]
        return found

    def give_pictures(self, wrong=()):
        """Give every board a data set that its model is right on.

        Parameters
        ----------
        wrong : sequence of str
            Boards whose masks are moved sideways.
        """
        made = self.folder.with_name("door")
        (made / "images").mkdir(parents=True)
        for name in _PHOTOS:
            picture = Image.open(find_model("animals").parent / "photos" / name)
            picture.thumbnail((320, 320))
            picture.save(made / "images" / name)
        call = ["edgeseg", "run", "animals", made / "images"]
        call += ["-o", f"masks:{made / 'masks'}"]
        subprocess.run(list(map(str, [sys.executable, "-m", *call])), check=True)
        said = subprocess.run(
            [sys.executable, "-m", "edgeseg", "info", "animals", "--json"],
            check=True,
            capture_output=True,
        )
        labels = json.loads(said.stdout)["manifest"]["labels"]
        (made / "labels.txt").write_text("\n".join(labels) + "\n")
        for name, board in self.boards.boards.items():
            own = board.path("/srv/door")
            shutil.copytree(made, own)
            for path in (own / "masks").glob("*.png") if name in wrong else ():
                mask = Image.open(path)
                moved = Image.fromarray(np.roll(np.array(mask), 25, axis=1))
                moved.putpalette(mask.getpalette())
                moved.save(path)
        self.set(edgeseg_eval=[{"path": "/srv/door", "model": "door"}])


def this_python():
    """Return the kind of board that this machine is."""
    call = ["/usr/bin/python3", "-c", "import sys; print(sys.version_info[1])"]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    return BoardKind.parse(f"{platform.machine()}-cp3{done.stdout.strip()}")
