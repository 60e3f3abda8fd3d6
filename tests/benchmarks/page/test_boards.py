"""Boards beside each other: who stands out, and that equal records stay apart."""

from __future__ import annotations

import json

import pytest

from edgeseg.benchmarks.page.boards import boards_of
from edgeseg.benchmarks.page.pareto import meeting_points
from edgeseg.benchmarks.page.records import find_records, kind_of, read_record
from edgeseg.benchmarks.page.rows import accuracy_rows, latency_rows
from edgeseg.devices import InputError


def bench(p90, processor="Chip", emulated=None):
    return {
        "kind": "bench",
        "model": "door.tflite",
        "model_sha256": "a" * 64,
        "board": {"model": None, "processor": processor, "architecture": "aarch64"},
        "pictures": {"source": "photos", "sizes": ["640x480"]},
        "runs": [
            {
                "latency_ms": {"p90": p90},
                "device": {"device": "desktop", "threads": 2},
                "emulated": emulated,
            }
        ],
    }


def score(miou):
    return {
        "model": "door.tflite",
        "model_sha256": "a" * 64,
        "miou": miou,
        "per_class_iou": {"cat": miou},
        "classes": ["background", "cat"],
        "dataset": "doors",
        "split": "val",
        "images": 10,
    }


def doctor(*severities):
    worst = max(severities, key=["ok", "note", "warning", "error"].index)
    findings = [{"severity": each, "found": f"a {each}"} for each in severities]
    return {
        "worst": worst,
        "findings": findings,
        "board": {"model": "Pi", "processor": "Chip", "architecture": "aarch64"},
    }


@pytest.fixture
def table(tmp_path):
    def build(boards):
        for name, records in boards.items():
            (tmp_path / name).mkdir()
            for number, content in enumerate(records):
                path = tmp_path / name / f"{number}.json"
                path.write_text(json.dumps(content))
        records = [read_record(path, board) for path, board in find_records(tmp_path)]
        return boards_of(records, accuracy_rows(records), latency_rows(records))

    return build


def marked(boards):
    return [row.name for row in boards.rows if row.stands_out]


def test_a_slow_board_comes_first(table):
    times = {"a": 10, "b": 10, "c": 12, "d": 15.1}
    found = table({name: [bench(p90)] for name, p90 in times.items()})
    # the median is 11, and 1.5 times that is 16.5
    assert marked(found) == []
    assert [row.name for row in found.rows] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(("p90", "expected"), [(15.0, []), (15.1, ["d"])])
def test_more_than_half_over_the_median_stands_out(table, p90, expected):
    found = table({"a": [bench(10)], "b": [bench(10)], "d": [bench(p90)]})
    assert marked(found) == expected
    assert found.rows[0].name == (expected or ["a"])[0]


def test_other_machines_and_emulators_are_not_compared(table):
    others = {"a": bench(10), "b": bench(10), "c": bench(10)}
    found = table(
        {name: [content] for name, content in others.items()}
        | {"slow": [bench(90, "Other")], "emulated": [bench(900, emulated="qemu")]}
    )
    assert marked(found) == []


def test_versions_of_one_name_are_columns_of_their_own(table):
    newer = {**bench(10), "model_sha256": "b" * 64}
    found = table({"a": [bench(10)], "b": [newer]})
    assert len(set(found.latency.values())) == 2
    assert [len(row.latency) for row in found.rows] == [1, 1]


def test_two_boards_have_no_median(table):
    assert marked(table({"a": [bench(10)], "b": [bench(99)]})) == []


@pytest.mark.parametrize(("miou", "expected"), [(0.791, []), (0.789, ["c"])])
def test_a_score_below_the_others_stands_out(table, miou, expected):
    scores = {"a": 0.8, "b": 0.8, "c": miou}
    found = table({name: [score(value)] for name, value in scores.items()})
    assert marked(found) == expected


def test_each_board_has_a_point_of_its_own(tmp_path):
    for name, miou, p90 in (("a", 0.8, 10), ("b", 0.7, 12), ("c", None, 14)):
        (tmp_path / name).mkdir()
        records = {"bench": bench(p90)} | (
            {} if miou is None else {"eval": score(miou)}
        )
        for kind, content in records.items():
            (tmp_path / name / f"{kind}.json").write_text(json.dumps(content))
    records = [read_record(path, board) for path, board in find_records(tmp_path)]
    (points,) = meeting_points(accuracy_rows(records), latency_rows(records)).values()
    found = {(p.latency.p90, p.accuracy.scores["miou"]) for p in points}
    assert found == {(10, 0.8), (12, 0.7)}


def test_what_doctor_found_is_shown(table):
    same = doctor("ok", "note")
    found = table({"a": [same], "b": [same], "c": [doctor("ok", "error")]})
    assert marked(found) == ["c"]
    assert {row.name: row.worst for row in found.rows} == {
        "a": "note",
        "b": "note",
        "c": "error",
    }
    assert found.rows[0].findings == ["error: a error"]
    assert found.rows[0].machine == "Pi, Chip, aarch64"


def test_a_record_of_doctor_that_is_none_is_named(table):
    broken = {"worst": "ok", "findings": [3], "board": {}}
    assert kind_of(broken) == "doctor"
    with pytest.raises(InputError, match=r"0\.json.*doctor"):
        table({"a": [broken]})


def test_a_folder_without_records_is_one_line(tmp_path):
    with pytest.raises(InputError, match="for each board"):
        find_records(tmp_path)


def test_a_file_is_of_no_board(tmp_path):
    assert find_records(tmp_path / "any.json") == [(tmp_path / "any.json", "")]
