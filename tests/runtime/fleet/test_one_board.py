"""One board with a real systemd: installed from an index, and updated by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256

import pytest
from fleet_desk import NEEDS, Fleet, this_python
from mqtt_broker import soon
from noted import note
from nspawn_boards import ContainerBoards

from edgeseg.runtime.model.embedded import append_manifest, stored_manifest

pytestmark = NEEDS
INDEX = "http://10.213.0.1:8080/simple"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    with (
        pytest.MonkeyPatch.context() as patch,
        ContainerBoards(folder / "boards", ["b1"]) as boards,
    ):
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        made = Fleet(folder / "fleet", boards)
        made.pack(this_python())
        yield made


@pytest.fixture(scope="module")
def index(fleet):
    """Serve the packed wheels as a simple index (PEP 503): a folder for each name."""
    served = fleet.folder.with_name("served")
    packed = fleet.folder / "wheels"
    for wheel in packed.rglob("*.whl"):
        name = wheel.name.partition("-")[0].lower().replace("_", "-")
        (served / "simple" / name).mkdir(parents=True)
        wheel.rename(served / "simple" / name / wheel.name)
    packed.rename(packed.with_name("nothing"))
    words = ["ip", "netns", "exec", fleet.boards.desk, sys.executable, "-m"]
    words += ["http.server", "8080", "--bind", "10.213.0.1", "--directory", served]
    with (served / "log").open("wb") as log:
        server = subprocess.Popen(list(map(str, words)), stdout=log, stderr=log)
    yield served / "log"
    server.terminate()
    server.wait()


def on_board(fleet, command):
    code, said = fleet.boards.ssh("b1", command)
    return code, said.strip()


def state(fleet):
    keys = "ActiveState,InvocationID,NRestarts"
    _, said = on_board(fleet, f"systemctl show edgeseg --property={keys}")
    return dict(line.split("=", 1) for line in said.splitlines())


def install(fleet, model, *words):
    """Install a file that is on the board, as a user of the board does."""
    fleet.boards.boards["b1"].path(f"/root/{model.name}").write_bytes(
        model.read_bytes()
    )
    digest = sha256(model.read_bytes()).hexdigest()
    call = ["edgeseg model install", f"/root/{model.name}", "--name door --sha256"]
    call += [digest, "--service edgeseg --system --slower 20", *words]
    return digest, *on_board(fleet, " ".join(call))


def test_a_package_from_an_index(fleet, index):
    digest = fleet.model(1)
    fleet.set(
        edgeseg_install="online",
        edgeseg_package="edgeseg[mqtt]",
        edgeseg_pip_options=["--index-url", INDEX, "--trusted-host", "10.213.0.1"],
    )
    status, boards = fleet.play("site.yaml")
    assert status == 0, fleet.said[-1]
    assert boards["b1"][0] > 5
    assert fleet.in_use() == {"b1": digest}
    asked = index.read_text()
    assert "GET /simple/edgeseg/" in asked
    assert "GET /simple/numpy/numpy-" in asked
    assert fleet.play("site.yaml") == (0, {"b1": (0, 0)}), fleet.said[-1]

    fleet.set(edgeseg_package="edgeseg[mqtt]==0.0.0")
    status, boards = fleet.play("site.yaml")
    assert status != 0
    assert boards["b1"][1] == 1
    assert "No matching distribution found for edgeseg[mqtt]==0.0.0" in fleet.said[-1]
    assert fleet.in_use() == {"b1": digest}
    fleet.set(edgeseg_package="edgeseg[mqtt]")


def test_the_service_runs_the_new_model_and_goes_back_from_a_bad_one(fleet, index):
    if on_board(fleet, "systemctl is-active edgeseg")[0] != 0:
        pytest.skip("the package is not installed")
    before = state(fleet)
    good, code, said = install(fleet, fleet.release(2), "--watch 15")
    assert code == 0, said
    after = state(fleet)
    assert fleet.in_use() == {"b1": good}
    assert after["InvocationID"] != before["InvocationID"]
    assert (after["ActiveState"], after["NRestarts"]) == ("active", "0")

    # what the service asks for is no class of the new model: it does not start
    camera = fleet.boards.boards["b1"].path("/etc/edgeseg/camera.toml")
    camera.write_text(camera.read_text() + 'classes = ["cat"]\n')
    assert on_board(fleet, "systemctl restart edgeseg")[0] == 0
    path = fleet.release(3)
    manifest = stored_manifest(path)
    labels = tuple(f"new {name}" for name in manifest.labels)
    path.write_bytes(
        append_manifest(path.read_bytes(), replace(manifest, labels=labels))
    )
    bad, code, said = install(fleet, path, "--watch 15 --least 0")
    assert code == 1
    assert "is in use again" in said.splitlines()[-1], said
    soon(lambda: state(fleet)["ActiveState"] == "active")
    assert fleet.in_use() == {"b1": good}

    _, journal = on_board(
        fleet, "journalctl --unit edgeseg --output cat --no-pager --lines 200"
    )
    assert "new cat" in journal  # the service said why
    model = "/var/lib/edgeseg/models/door"
    _, steps = on_board(fleet, f"cat {model}/journal.jsonl")
    last = json.loads(steps.splitlines()[-1])
    assert (last["step"], last["to"]) == ("went back", bad)
    assert bad not in on_board(fleet, f"ls {model}/versions")[1]
    note("one_board", fleet.figures)
