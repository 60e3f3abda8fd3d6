"""Dated names and their options wherever an output's address is read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeseg.devices import InputError
from edgeseg.runtime.capture.open import Inputs
from edgeseg.runtime.commands.config import load_config
from edgeseg.runtime.commands.run import run
from edgeseg.runtime.output.apart import check_outputs
from edgeseg.runtime.output.open import find_sink, folder_of
from edgeseg.runtime.remote.calls import output_there
from edgeseg.runtime.service.folders import output_folders

DOOR = "recordings/door-%Y%m%d-%H%M%S.mkv?piece=10m&keep=7d"


@pytest.mark.parametrize(
    ("text", "plugin", "path", "folder"),
    [
        (DOOR, "video", "recordings/door-%Y%m%d-%H%M%S.mkv", "recordings"),
        (f"video:{DOOR}", "video", "recordings/door-%Y%m%d-%H%M%S.mkv", "recordings"),
        ("a/%Y/%m/%d.mp4?on=person&area=2%", "video", "a/%Y/%m/%d.mp4", "a"),
        ("snap/%H.jpg?on=person", "overlay", "snap/%H.jpg", "snap"),
        ("%H.jpg", "overlay", "%H.jpg", "."),
        ("50%%/clip.mp4", "video", "50%%/clip.mp4", "50%"),
        ("50%/shots/", "overlay", "50%/shots/", "50%/shots"),  # a folder has no dates
    ],
)
def test_an_address_and_the_folder_of_its_files(text, plugin, path, folder):
    address = find_sink(text)
    assert (address.plugin, address.path) == (plugin, path)
    assert folder_of(address) == Path(folder)


@pytest.mark.parametrize("text", ["found.jsonl?keep=7d", "a.xyz?keep=7d"])
def test_a_sink_without_options_gets_none(text):
    with pytest.raises(InputError, match="cannot tell what to write to"):
        find_sink(text)


def test_a_configuration_makes_paths_absolute_and_keeps_its_folder_literal(tmp_path):
    place = tmp_path / "50%Y?on=d"
    place.mkdir()
    config = place / "camera.toml"
    config.write_text(f'model = "animals"\nsource = "camera:0"\noutput = ["{DOOR}"]\n')
    (text,) = load_config(config, run)["outputs"]
    assert text == f"{tmp_path}/50%%Y?on=d/{DOOR}"
    address = find_sink(text)
    assert folder_of(address) == place / "recordings"
    assert address.tail == "?piece=10m&keep=7d"
    assert output_folders([address]) == (place / "recordings",)


def test_pieces_come_back_from_a_board():
    there, output = output_there(f"../{DOOR}")
    assert there == DOOR
    assert (output.there, output.suffix) == ("recordings", (".mkv",))
    assert output.here == Path("../recordings")
    there, output = output_there("%H%M.mkv?on=person")
    assert (there, output.there, output.here) == (
        "out/%H%M.mkv?on=person",
        "out",
        Path(),
    )
    assert output_there("clip.mp4")[1].suffix is None


def test_what_is_read_is_not_removed_with_what_is_old(tmp_path):
    source = tmp_path / "door-20200101-000000.mkv"
    source.touch()
    inputs = Inputs((source,), ("door",))
    text = f"{tmp_path}/door-%Y%m%d-%H%M%S.mkv"
    check_outputs([find_sink(f"{text}?piece=1m")], inputs)  # a number is added
    with pytest.raises(InputError, match="is what is read"):
        check_outputs([find_sink(f"{text}?keep=7d")], inputs)
    with pytest.raises(InputError, match="is what is read"):
        check_outputs([find_sink(str(source))], inputs)
    linked = tmp_path / "10%.mkv"
    os.link(source, linked)
    with pytest.raises(InputError, match="is what is read"):
        check_outputs([find_sink(f"{tmp_path}/10%%.mkv")], inputs)
