"""Five boards with sshd and systemd: installed, updated in waves, and taken back."""

from __future__ import annotations

import json

import pytest
from fleet_desk import NEEDS, PASSWORD, Fleet, this_python
from noted import note
from nspawn_boards import ContainerBoards

pytestmark = NEEDS
NAMES = ("b1", "b2", "b3", "b4", "b5")
SMALL = "b2"  # in the second wave, with a small disk for models
ODD = "b4"  # its pictures have other masks


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
        made.pack(this_python())
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

    fleet.give_pictures(wrong=[ODD])
    status, boards = fleet.play("gather.yaml")
    assert status == 0, fleet.said[-1]
    assert boards == dict.fromkeys([*NAMES, "localhost"], (0, 0))
    assert fleet.in_use() == dict.fromkeys(NAMES, first)  # all are on again
    scores = {}
    for name in NAMES:
        folder = fleet.folder / "records" / name
        found = {path.stem for path in folder.iterdir()}
        assert found == {"doctor", "bench-door", "eval-0"}
        scores[name] = json.loads((folder / "eval-0.json").read_text())["miou"]
    assert {name for name, miou in scores.items() if miou < 1} == {ODD}
    page = (fleet.folder / "fleet.html").read_text("utf-8")
    assert all(f">{name}</" in page for name in NAMES)
    assert page.count(", median 100.00 %") == 1
    note("five_boards", fleet.figures)
