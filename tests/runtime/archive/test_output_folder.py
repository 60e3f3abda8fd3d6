from __future__ import annotations

import json
import os

import pytest

from edgeseg.devices import InputError, OutputError
from edgeseg.runtime.archive.areas_table import AreasTable, schema
from edgeseg.runtime.archive.output_folder import OutputFolder
from edgeseg.runtime.archive.work import Unread
from edgeseg.runtime.pictures.atomic import temporary_file

ROW = {
    "source": "a.jpg",
    "frame": None,
    "time_s": None,
    "height": 4,
    "width": 5,
    "classes": [
        {
            "id": 1,
            "label": "disc",
            "area": 3,
            "share": 0.15,
            "centroid_x": 1.5,
            "centroid_y": 2.0,
        }
    ],
}


def test_a_folder_is_one_jobs(tmp_path):
    with OutputFolder(tmp_path / "out", {"model": "a", "overlays": False}) as first:
        key = first.key
        (tmp_path / "out" / "masks").mkdir()
    with OutputFolder(tmp_path / "out", {"model": "a", "overlays": False}) as again:
        assert again.key == key
    with pytest.raises(InputError, match=r"another job \(other model\)"):
        OutputFolder(tmp_path / "out", {"model": "b", "overlays": False})


def test_a_folder_is_one_processs(tmp_path):
    first = OutputFolder(tmp_path / "out", {})
    with pytest.raises(OutputError, match="is in use"):
        OutputFolder(tmp_path / "out", {})
    first.close()
    OutputFolder(tmp_path / "out", {}).close()
    assert not (tmp_path / "out").exists()  # nothing came of it


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OutputError, match="expected a folder, got a file"):
        OutputFolder(tmp_path / "out", {})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "archive.json").write_text("[]")
    with pytest.raises(InputError, match="does not say which job"):
        OutputFolder(tmp_path / "other", {})


def test_halves_of_files_are_removed_and_those_in_use_stay(tmp_path):
    masks = tmp_path / "masks" / "inner"
    masks.mkdir(parents=True)
    (masks / ".edgeseg-abcd_123.png").write_bytes(b"half")
    (masks / "whole.png").write_bytes(b"whole")
    descriptor, in_use = temporary_file(masks, ".png")
    with OutputFolder(tmp_path, {}) as output:
        (masks / ".edgeseg-abcd_124.png").write_bytes(b"half")
        output.clean()
    left = {path.name for path in masks.iterdir()}
    os.close(descriptor)
    assert left == {"whole.png", in_use.name}


def test_what_could_not_be_read_is_a_list(tmp_path):
    with OutputFolder(tmp_path, {}) as output:
        output.write_unread([Unread("b", "b.jpg", "cut"), Unread("a", "a.jpg", "no")])
        lines = (tmp_path / "unread.jsonl").read_text().splitlines()
        assert [json.loads(line)["name"] for line in lines] == ["a", "b"]
        output.write_unread([])
    assert not (tmp_path / "unread.jsonl").exists()


def test_rows_are_kept_file_by_file(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs extra `archive`")
    for number in range(2):
        table = AreasTable(tmp_path / "areas")
        assert table.names() == {f"p{i}" for i in range(number)}
        table.add([{"name": f"p{number}", **ROW}])
        table.write()
        table.write()  # nothing more
    rows = parquet.read_table(tmp_path / "areas").to_pylist()
    assert rows == [{"name": f"p{i}", **ROW} for i in range(2)]
    assert len(list((tmp_path / "areas").iterdir())) == 2
    (tmp_path / "areas" / "part-000001.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(InputError, match=r"cannot read .*part-000001.parquet"):
        AreasTable(tmp_path / "areas").names()


def test_the_readme_has_every_column(root):
    pytest.importorskip("pyarrow", reason="needs the extra `archive`")
    chapter = (root / "runtime" / "README.md").read_text().split("\n## Archives\n")[1]
    table = chapter.split("| column of `areas/`")[1].split("\n\n")[0]
    shown = {
        name.strip(" `"): cells[2].strip()
        for cells in (line.split("|") for line in table.splitlines()[2:])
        for name in cells[1].split(",")
    }
    for field in schema():
        kind = str(field.type).split("<")[0]
        expected = {"list": "list of struct"}.get(kind, kind)
        assert shown.pop(field.name) == expected
    assert not shown
    struct = schema().field("classes").type.value_type
    for field in struct:
        assert f"`{field.name}`" in table
