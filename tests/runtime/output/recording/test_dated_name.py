from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from edgeseg.devices import InputError
from edgeseg.runtime.output.recording.dated_name import DatedName

MOMENT = time.mktime((2026, 3, 9, 7, 5, 1, 0, 0, -1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("door-%Y%m%d-%H%M%S.mkv", "door-20260309-070501.mkv"),
        ("%Y/%m/%d/%H%M%S.mkv", "2026/03/09/070501.mkv"),
        ("100%%-%j.mkv", "100%-068.mkv"),
        ("plain.mkv", "plain.mkv"),
    ],
)
def test_codes_are_local_time_and_names_match_what_they_made(text, expected):
    name = DatedName(text)
    assert name.at(MOMENT) == Path(expected)
    assert name.matches(Path(expected))
    path = Path(expected)
    assert name.matches(path.with_stem(path.stem + "-2"))


@pytest.mark.parametrize("text", ["a-%Q.mkv", "50%.mp4", "%D.mkv", "%-d.mkv", "a%"])
def test_what_is_no_code_is_refused_by_name(text):
    with pytest.raises(InputError, match=r"unknown date code %.*%% for a per cent"):
        DatedName(text)


@pytest.mark.parametrize(
    "other",
    [
        "door-20261309-070501.mkv",  # no month
        "door-20260309-070501.mp4",
        "door-20260309-070501.part.mkv",
        "door-20260309-070501-left.mkv",
        "xdoor-20260309-070501.mkv",
        "door-%Y%m%d-%H%M%S.mkv",
        "sub/door-20260309-070501.mkv",
    ],
)
def test_other_names_do_not_match(other):
    assert not DatedName("door-%Y%m%d-%H%M%S.mkv").matches(Path(other))


def test_a_name_that_is_taken_gets_a_number(tmp_path):
    name = DatedName(f"{tmp_path}/door-%Y.mkv".replace("%Y", "%Y"))
    assert name.free_at(MOMENT).name == "door-2026.mkv"
    (tmp_path / "door-2026.mkv").touch()
    assert name.free_at(MOMENT).name == "door-2026-2.mkv"
    (tmp_path / "door-2026-4.part.mkv").touch()  # another run is at it
    assert name.free_at(MOMENT).name == "door-2026-5.mkv"


def test_files_are_regular_and_the_oldest_is_first(tmp_path):
    name = DatedName(f"{tmp_path}/%Y/door-%m.mkv")
    for index, month in enumerate(("12", "01", "05")):
        path = tmp_path / "2026" / f"door-{month}.mkv"
        path.parent.mkdir(exist_ok=True)
        path.touch()
        os.utime(path, (index, index))
    (tmp_path / "2026" / "door-02.mkv").symlink_to(path)
    (tmp_path / "2026" / "door-03.mkv").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "door-04.mkv").touch()
    found = [path.name for path, _ in name.files()]
    assert found == ["door-12.mkv", "door-01.mkv", "door-05.mkv"]
