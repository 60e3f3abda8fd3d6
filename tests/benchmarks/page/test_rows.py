"""Which figures meet, and which are on the front."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edgeseg.benchmarks.page.pareto import meeting_points
from edgeseg.benchmarks.page.records import kind_of, read_record
from edgeseg.benchmarks.page.rows import accuracy_rows, latency_rows
from edgeseg.devices import InputError


def write(folder, name, content):
    path = folder / name
    path.write_text(json.dumps(content))
    return read_record(path)


def score(model, miou, **changes):
    return {
        "model": f"{model}.tflite",
        "model_sha256": model * 64,
        "miou": miou,
        "per_class_iou": {"background": 0.9, "cat": None},
        "classes": ["background", "cat"],
        "dataset": "voc",
        "split": "val",
        "images": 10,
        **changes,
    }


def latency(model, *p90s, **changes):
    device = {"device": "desktop", "threads": 2}
    return {
        "kind": "bench",
        "model": f"{model}.tflite",
        "model_sha256": model * 64,
        "board": {"model": None, "processor": "Chip", "architecture": "x86_64"},
        "pictures": {"source": "photos", "sizes": ["640x480"]},
        "runs": [
            {"latency_ms": {"p90": p90}, "device": device, "emulated": None}
            for p90 in p90s
        ],
        **changes,
    }


def points(records):
    groups = meeting_points(accuracy_rows(records), latency_rows(records))
    return {
        key: [(p.latency.model[0], p.latency.p90, p.on_front) for p in members]
        for key, members in groups.items()
    }


def brute_force_front(pairs):
    return {
        (x, y)
        for x, y in pairs
        if not any(
            (u <= x and v >= y and (u, v) != (x, y)) or (u < x and v == y)
            for u, v in pairs
        )
    }


def test_models_meet_by_hash_and_the_front_is_marked(tmp_path):
    scores = {"a": 0.7, "b": 0.8, "c": 0.75, "d": 0.9}
    times = {"a": (5.0, 6.0), "b": (10.0,), "c": (12.0,), "e": (1.0,)}
    records = [write(tmp_path, f"s{m}", score(m, s)) for m, s in scores.items()]
    records += [write(tmp_path, f"l{m}", latency(m, *t)) for m, t in times.items()]
    (found,) = points(records).values()
    assert found == [
        ("a", 5.0, True),
        ("a", 6.0, False),
        ("b", 10.0, True),
        ("c", 12.0, False),
    ]


@pytest.mark.parametrize("seed", range(5))
def test_the_front_is_the_brute_force_one(seed, tmp_path):
    rng = np.random.default_rng(seed)
    models = "0123456789abcdef"
    pairs = [(float(x), float(y)) for x, y in rng.integers(1, 60, (16, 2))]
    records = [
        write(tmp_path, f"{kind}{m}", content)
        for m, (x, y) in zip(models, pairs, strict=True)
        for kind, content in (("s", score(m, y / 100)), ("l", latency(m, x)))
    ]
    groups = meeting_points(accuracy_rows(records), latency_rows(records))
    (members,) = groups.values()
    front = {
        (p.latency.p90, round(100 * p.accuracy.scores["miou"], 6))
        for p in members
        if p.on_front
    }
    assert front == brute_force_front(pairs)


def test_other_machines_and_other_data_are_not_compared(tmp_path):
    board = {"model": "Pi", "processor": "A72", "architecture": "aarch64"}
    records = [
        write(tmp_path, "s1", score("a", 0.7)),
        write(tmp_path, "s2", score("a", 0.6, images=9)),
        write(tmp_path, "l1", latency("a", 5.0)),
        write(tmp_path, "l2", latency("a", 50.0, board=board)),
        write(tmp_path, "l3", latency("a", 99.0, board=board, emulated="qemu")),
    ]
    found = points(records)
    assert len(found) == 6
    assert sum("emulated" in machine for machine, _ in found) == 2
    assert all(len(members) == 1 for members in found.values())


def test_conversions_give_scores_and_recipes(root):
    path = root / "benchmarks" / "results" / "conversions.json"
    rows = accuracy_rows([read_record(path)])
    told = json.loads(path.read_text())["conversions"]
    scored = [case for case in told.values() if case["accuracy"]]
    assert len(rows) == 2 * len(scored)
    assert {row.recipe for row in rows} == {"float", "int8"}
    hashes = {case["hashes"][side] for case in scored for side in ("float", "result")}
    assert {row.model_sha256 for row in rows} == hashes


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"machine": {}, "peers": {}}, "peers"),
        ({"machine": {}, "models": {"a": {"settings": {}}}}, "remedies"),
        ({"machine": {}, "models": {"a": {}}}, "other"),
        ({"versions": {}, "stages": []}, "other"),
        ({"stages": []}, None),
        ({}, None),
    ],
)
def test_kinds(content, kind):
    assert kind_of(content) == kind


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"a": 1}', "\x00", '"text"'])
def test_what_is_no_record_is_named(text, tmp_path):
    path = tmp_path / "strange.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"strange\.json"):
        read_record(path)
    with pytest.raises(InputError, match=r"missing\.json"):
        read_record(tmp_path / "missing.json")


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "bench"},
        latency("a", "fast"),
        latency("a", 1.0, runs=[None]),
        latency("a", 1.0, board=None),
        score("a", 0.5, per_class_iou=[]),
        {"conversions": {"a": {"accuracy": {"reference": 1}}}},
        {"conversions": {"a": None}},
    ],
)
def test_a_damaged_record_is_named(content, tmp_path):
    record = write(tmp_path, "damaged.json", content)
    with pytest.raises(InputError, match=r"damaged\.json"):
        accuracy_rows([record]) + latency_rows([record])


def test_a_record_of_any_depth_and_any_number_is_read_or_refused(tmp_path):
    record = write(tmp_path, "huge.json", score("a", 10**400))
    assert accuracy_rows([record])[0].scores["miou"] is None
    deep = []
    for _ in range(300):
        deep = [deep]
    with pytest.raises(InputError, match="stand in each other"):
        write(tmp_path, "deep.json", score("a", 0.5, machine=deep))
