"""Ansible reads the playbooks, and says in one line what is wrong with a setting."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgeseg.runtime.fleet.files import project_files, write_project

ANSIBLE = shutil.which(
    "ansible-playbook",
    path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
)
pytestmark = pytest.mark.skipif(ANSIBLE is None, reason="needs the extra `fleet`")


@pytest.fixture
def fleet(tmp_path):
    write_project(tmp_path / "fleet")
    (tmp_path / "fleet/inventory.yaml").write_text(
        "boards:\n  hosts:\n    here:\n      ansible_connection: local\n"
        f"      ansible_python_interpreter: {sys.executable}\n"
    )
    return tmp_path / "fleet"


def play(fleet, *words):
    return subprocess.run(
        [ANSIBLE, *map(str, words)],
        cwd=fleet,
        env={
            **os.environ,
            "ANSIBLE_LOCAL_TEMP": str(fleet.parent / "temporary"),
            "ANSIBLE_NOCOLOR": "1",
            "LC_ALL": "C.UTF-8",
        },
        capture_output=True,
        text=True,
    )


def test_ansible_reads_every_playbook(fleet):
    names = [name for name in project_files() if name.count("/") == 0]
    playbooks = [name for name in names if name.endswith(".yaml")]
    playbooks.remove("inventory.yaml")
    done = play(fleet, "--syntax-check", *playbooks)
    assert done.returncode == 0, done.stderr
    assert len(playbooks) == 3


def test_the_configuration_is_the_toml_that_was_meant(fleet):
    toml = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    camera = {
        "model": 'a "quoted" \\ name',
        "fps": 2,
        "smooth": 0.5,
        "contours": True,
        "wait": False,
        "output": ["masks:ids/", "mqtt://dör/{{ inventory_hostname }}"],
        "classes": [],
        "camera": [
            {"name": "a", "source": "camera:0"},
            {"name": "b", "line": [[1, 2]]},
        ],
    }
    own = {"fps": 3, "effect": "blur:60"}
    (fleet / "write.yaml").write_text(
        json.dumps(
            [
                {
                    "hosts": "boards",
                    "gather_facts": False,
                    "vars": {"edgeseg_camera": camera, "edgeseg_camera_here": own},
                    "tasks": [
                        {
                            "ansible.builtin.template": {
                                "src": "roles/edgeseg/templates/camera.toml.j2",
                                "dest": str(fleet / "camera.toml"),
                            }
                        }
                    ],
                }
            ]
        )
    )
    done = play(fleet, "write.yaml")
    assert done.returncode == 0, done.stdout
    expected = {**camera, **own, "output": ["masks:ids/", "mqtt://dör/here"]}
    assert toml.loads((fleet / "camera.toml").read_text("utf-8")) == expected


@pytest.mark.parametrize(
    "settings",
    [
        {"edgeseg_models": [{"name": "door", "source": "a.tflite", "sha256": "12"}]},
        {"edgeseg_models": [{"name": "door", "source": "a.tflite"}]},
        {"edgeseg_models": [{"name": "../x", "source": "a", "sha256": "0" * 64}]},
        {"edgeseg_camera": {"source": "camera:0"}},
        {"edgeseg_install": "somehow"},
    ],
)
def test_a_wrong_setting_is_named_before_anything_is_changed(fleet, settings):
    done = play(fleet, "site.yaml", "--check", "-e", json.dumps(settings), "-e",
                '{"ansible_become": false}')  # fmt: skip
    assert done.returncode != 0
    assert "group_vars or inventory: expected edgeseg_install" in " ".join(
        done.stdout.split()
    )
    assert "changed=0" in done.stdout


def test_wheels_that_were_not_packed_are_asked_for(fleet):
    machine = os.uname().machine
    done = play(fleet, "site.yaml", "--check", "-e", '{"ansible_become": false}')
    said = " ".join((done.stdout + done.stderr).split())
    if "expected a 64-bit board with systemd" in said:
        pytest.skip("this machine has no systemd to make a board of")
    assert done.returncode != 0
    assert f"edgeseg fleet pack . --board {machine}-cp3" in said
