"""An emulated aarch64 board with its own systemd: installed, updated, taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from board_roots import Aarch64Root
from fleet_desk import NEEDS, Fleet
from noted import note
from nspawn_boards import ContainerBoards
from PIL import Image

from edgeseg.runtime.fleet.packing import BoardKind

pytestmark = NEEDS
# what is emulated takes long: a small model, and a small picture
GOLDEN = Path(__file__).resolve().parents[2] / "golden"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    root = Aarch64Root.make()
    folder = tmp_path_factory.mktemp("aarch64")
    with (
        pytest.MonkeyPatch.context() as patch,
        ContainerBoards(folder / "boards", [], emulated={"pi": root}) as boards,
    ):
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        made = Fleet(
            folder / "fleet",
            boards,
            GOLDEN / "shapes.tflite",
            pictures="pictures",
            check="models/door-1.tflite",
        )
        (made.folder / "pictures").mkdir()
        with Image.open(GOLDEN / "demo.jpg") as picture:
            picture.resize((64, 48)).save(made.folder / "pictures/small.png")
        made.pack(BoardKind.parse("aarch64-cp311"))
        made.set(edgeseg_watch=120, edgeseg_start_s=600, edgeseg_watchdog=300)
        yield made


def test_a_board_with_another_processor_from_nothing_to_a_rollback(fleet):
    code, said = fleet.boards.ssh("pi", "uname -m; systemctl show -p Architecture")
    assert (code, said.split()) == (0, ["aarch64", "Architecture=arm64"])

    first = fleet.model(1)
    status, boards = fleet.play("site.yaml")
    assert status == 0, fleet.said[-1]
    assert boards["pi"][0] > 5
    assert fleet.in_use() == {"pi": first}

    second = fleet.model(2)
    status, boards = fleet.play("site.yaml")
    assert status == 0, fleet.said[-1]
    assert fleet.in_use() == {"pi": second}
    assert fleet.play("site.yaml") == (0, {"pi": (0, 0)}), fleet.said[-1]

    status, boards = fleet.play("rollback.yaml", "--tags", "models")
    assert status == 0, fleet.said[-1]
    assert fleet.in_use() == {"pi": first}
    note("aarch64_board", fleet.figures)
