"""Recordings and pictures of events, with what was before and after."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from PIL import Image

from edgeseg.devices import InputError
from edgeseg.runtime import Manifest, Style
from edgeseg.runtime.output.open import open_sink
from edgeseg.runtime.output.recording import events


def recorded(folder, numbers_in):
    paths = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    return [numbers_in(path) for path in paths]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_an_event_is_a_piece_with_the_seconds_around_it(
    suffix, tmp_path, record, numbers_in
):
    there = {*range(50, 60), 65, *range(120, 122)}
    text = f"{tmp_path}/%Y%m%d-%H%M%S{suffix}?on=person&before=2s&after=1s"
    record(text, np.arange(150) / 10, there=there, fps=10.0)
    first, second = recorded(tmp_path, numbers_in)
    assert first == list(range(30, 76))  # 65 comes within the second after 59
    assert second == list(range(100, 132))


def test_an_event_that_does_not_end_is_whole(tmp_path, record, numbers_in):
    text = f"{tmp_path}/%H%M%S.mkv?on=person&before=1s&after=1s"
    record(text, np.arange(30) / 10, there={*range(28, 30)}, fps=10.0)
    assert recorded(tmp_path, numbers_in) == [list(range(18, 30))]


def test_an_area_that_is_too_small_is_no_event(tmp_path, record):
    for share, count in ((0.009, 0), (0.011, 1)):
        record(
            f"{tmp_path}/%H%M%S.mkv?on=person",
            np.arange(20) / 10,
            there={5},
            share=share,
        )
        assert len(list(tmp_path.iterdir())) == count


def test_a_long_event_is_cut_into_pieces(tmp_path, record, numbers_in):
    text = f"{tmp_path}/%H%M%S.mkv?on=person&before=1s&after=1s&piece=2s"
    record(text, np.arange(80) / 10, there=set(range(20, 60)), fps=10.0)
    found = recorded(tmp_path, numbers_in)
    assert [*chain(*found)] == list(range(10, 70))
    assert [len(each) for each in found] == [20, 20, 20]


def test_frames_before_an_event_are_bounded_in_memory(
    tmp_path, record, numbers_in, monkeypatch, caplog
):
    monkeypatch.setattr(events, "_MOST_BYTES", 20_000)
    text = f"{tmp_path}/%H%M%S.mkv?on=person&before=1h&after=1s"
    record(text, np.arange(400) / 10, there={399}, fps=10.0)
    assert caplog.text.count("the frames before an event take more than") == 1
    (found,) = recorded(tmp_path, numbers_in)
    assert 2 < len(found) < 50
    assert found == list(range(400 - len(found), 400))


def test_nothing_happens_and_nothing_is_written(tmp_path, record):
    record(f"{tmp_path}/%H%M%S.mkv?on=person", np.arange(30) / 10)
    assert not list(tmp_path.iterdir())


def test_a_picture_of_each_event(tmp_path, record):
    there = {*range(10, 15), 20, *range(100, 110)}
    text = f"{tmp_path}/shot-%Y%m%d-%H%M%S.png?on=person&after=2s"
    record(text, np.arange(150) / 10, there=there)
    assert len(list(tmp_path.iterdir())) == 2
    record(
        f"{text}&every=0.4s",
        np.arange(40) / 10,
        there={*range(9)},
    )
    assert len(list(tmp_path.iterdir())) == 5  # at 0, 0.4 and 0.8 s


def test_pictures_now_and_then_and_the_last_one_under_one_name(tmp_path, record):
    record(f"{tmp_path}/a/%H%M%S.jpg?every=1s", np.arange(30) / 10)
    assert len(list((tmp_path / "a").iterdir())) == 3
    record(f"{tmp_path}/last.png?on=person&after=0s&every=1s", range(5), there={1, 3})
    with Image.open(tmp_path / "last.png") as picture:
        assert picture.size == (192, 96)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "last.png"]


def test_old_pictures_go(tmp_path, record):
    text = f"{tmp_path}/%Y%m%d-%H%M%S.png?keep=60kB"
    for _ in range(3):
        record(text, np.arange(10) / 10)
    # the newest is written after the others were looked at
    assert (
        sum(path.stat().st_size for path in tmp_path.iterdir()) < 600_000
    )  # of 900 kB


def test_a_folder_of_overlays_takes_no_options(tmp_path):
    with pytest.raises(InputError, match="expected the name of a picture before it"):
        open_sink(
            f"{tmp_path}/shots/?on=person", Style(Manifest(labels=("a", "person")))
        )
