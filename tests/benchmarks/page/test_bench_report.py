"""The page: whole, alone, with hashes, safe with any name."""

from __future__ import annotations

import hashlib
import json
import sys
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner
from scenes import draw_dataset

pytest.importorskip("jinja2", reason="needs the extra `convert`")
pytest.importorskip("matplotlib", reason="needs the extra `convert`")

from edgeseg.benchmarks.commands.report import report
from edgeseg.benchmarks.latency.bench import bench
from edgeseg.benchmarks.latency.setup import Setup
from edgeseg.benchmarks.latency.single_stream import Rules
from edgeseg.benchmarks.page.report import write_report
from edgeseg.devices import InputError, MissingDriverError, OutputError
from edgeseg.runtime.cli import main

HOSTILE = "<script>alert('1')</script>\"&$x^{"
VOIDS = {"meta", "img", "link", "br", "input"}


class Page(HTMLParser):
    """Tags, addresses, ids and text as a browser would find them."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.ids, self.images, self.text = [], [], [], {}, ""
        self.open = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append(tag)
        self.links += [values[key] for key in ("src", "href") if key in values]
        self.ids += [values["id"]] if "id" in values else []
        if tag == "img":
            self.images.setdefault(values["alt"], []).append(values["src"])
        if tag not in VOIDS:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def latency(golden_model):
    rules = Rules(10, 0.0, 1, 0.0)
    setup = Setup(golden_model, "synthetic:64x48", threads=(1, 2), rules=rules)
    return bench(setup)


@pytest.fixture
def accuracy(latency):
    return {
        "model": "shapes.tflite",
        "model_sha256": latency["model_sha256"],
        "miou": 0.8125,
        "pixel_accuracy": 0.95,
        "mean_accuracy": 0.9,
        "fw_iou": 0.91,
        "per_class_iou": {"background": 0.97, "disc": None, "square": 0.655},
        "classes": ["background", "disc", "square"],
        "dataset": "scenes",
        "split": "val",
        "images": 12,
        "protocol": "one matrix",
        "device": {"device": "desktop", "runtime": "litert", "version": "2"},
        "versions": {"edgeseg": "0.1.0"},
        "against": {"drop": {"difference": 0.01, "low": -0.005, "high": 0.02}},
    }


def peers():
    spread = {"median": 1.234, "q1": 1.2, "q3": 1.3}
    row = {"about": "another runtime", "reference": "uint8", "miou_7_classes": 0.5}
    row |= {"ms": {"invoke": spread, "total": spread}, "agreement_with_edgeseg": 0.99}
    row["ratio_to_edgeseg"] = {"invoke": spread, "picture_to_labels": spread}
    return {
        "machine": {"processor": "Chip"},
        "edgeseg": {"uint8": {"about": "edgeseg"}},
        "peers": {"other": row},
        "failures": {"third": "no wheel"},
    }


def page_of(folder, *contents):
    paths = []
    for number, content in enumerate(contents):
        paths.append(folder / f"record{number}.json")
        paths[-1].write_text(json.dumps(content))
    write_report(paths, folder / "page.html")
    return Page((folder / "page.html").read_text("utf-8")), paths


def test_any_mix_makes_one_page_that_stands_alone(latency, accuracy, root, tmp_path):
    results = root / "benchmarks" / "results"
    committed = [
        json.loads((results / name).read_text())
        for name in ("conversions.json", "remedies.json")
    ]
    stages = {"machine": {}, "stages": {"preprocess": [1.5, 2.5], "none": []}}
    mixed = (latency, accuracy, peers(), stages, *committed)
    page, paths = page_of(tmp_path, *mixed)
    assert page.open == []
    assert all(link.startswith(("#", "data:image/svg+xml")) for link in page.links)
    assert {link[1:] for link in page.links if link[0] == "#"} <= set(page.ids)
    for path in paths:
        assert hashlib.sha256(path.read_bytes()).hexdigest() in page.text
    sections = {"latency", "accuracy", "peers", "others", "conversions", "remedies"}
    assert sections <= set(page.ids)
    for words in ("81.25 %", "no truth", "1.23", "no wheel", "+1.00 (-0.50 to +2.00)"):
        assert words in " ".join(page.text.split())
    assert latency["model_sha256"][:12] in page.text


def test_scores_and_latencies_of_one_hash_meet(latency, accuracy, tmp_path):
    page, _ = page_of(tmp_path, latency, accuracy)
    assert "both" in page.ids
    assert "mIoU over p90 latency, with the Pareto front" in page.images
    stranger = {**accuracy, "model_sha256": "0" * 64}
    page, _ = page_of(tmp_path, latency, stranger)
    assert "both" not in page.ids


def test_a_record_of_eval_meets_one_of_bench(latency, golden_model, tmp_path):
    drawn, path = draw_dataset(tmp_path / "drawn", 3), tmp_path / "eval.json"
    arguments = [str(a) for a in ("eval", golden_model, drawn, "--json", path)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    told = json.loads(path.read_text())
    page, _ = page_of(tmp_path, latency, told)
    assert "both" in page.ids
    assert f"{100 * told['miou']:.2f} %" in page.text


def test_latencies_are_drawn(latency, tmp_path):
    page, _ = page_of(tmp_path, latency)
    assert {"histogram of latencies", "median time of each stage"} <= set(page.images)
    for run in latency["runs"]:
        assert f"{run['latency_ms']['p90']:.2f}" in page.text
    assert "emulated" not in page.text.replace("real machine", "")


def test_every_figure_of_an_emulator_is_called_so(latency, tmp_path):
    told = json.loads(json.dumps(latency))
    told["emulated"] = "inside qemu"
    for run in told["runs"]:
        run["emulated"] = "inside qemu"
    page, _ = page_of(tmp_path, told)
    for run in told["runs"]:
        assert f"{run['latency_ms']['p90']:.2f} emulated" in page.text
        assert f"{run['load_ms']:.2f} emulated" in page.text


def test_hostile_names_stay_text(latency, accuracy, tmp_path):
    told = json.loads(json.dumps(latency))
    told["model"] = told["board"]["processor"] = told["pictures"]["source"] = HOSTILE
    told["model_sha256"] = accuracy["model_sha256"] = HOSTILE
    accuracy["model"] = accuracy["dataset"] = accuracy["protocol"] = HOSTILE
    accuracy["per_class_iou"][HOSTILE] = 0.5
    other = {"machine": {HOSTILE: [HOSTILE, {HOSTILE: HOSTILE}]}, HOSTILE: {"a": []}}
    page, _ = page_of(tmp_path, told, accuracy, peers() | {"failures": other}, other)
    assert "script" not in page.tags
    assert HOSTILE in page.text
    assert page.open == []


def test_a_record_given_twice_is_shown_once(latency, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(latency))
    assert write_report([path, path], tmp_path / "page.html") == 1


def test_an_unknown_record_is_named_and_nothing_written(latency, tmp_path):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(latency))
    bad.write_text('{"answer": 42}')
    done = CliRunner().invoke(
        report, [str(good), str(bad), "-o", str(tmp_path / "page.html")]
    )
    assert isinstance(done.exception, InputError)
    assert "bad.json" in str(done.exception)
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize("lost", ["histogram", "stages_ms", "trip", "latency_ms"])
def test_a_damaged_run_is_an_error_of_ours(lost, latency, tmp_path):
    told = json.loads(json.dumps(latency))
    told["runs"][0][lost] = None
    with pytest.raises(InputError, match=r"record0\.json"):
        page_of(tmp_path, told)


def test_the_command_tells_what_it_wrote(latency, tmp_path):
    path, page = tmp_path / "a.json", tmp_path / "new" / "page.html"
    path.write_text(json.dumps(latency))
    done = CliRunner().invoke(report, [str(path), "-o", str(page)])
    assert done.exit_code == 0, done.output
    assert "1 record" in done.stdout
    assert page.is_file()


def test_a_page_that_cannot_be_written(latency, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(latency))
    with pytest.raises(OutputError):
        write_report([path], tmp_path)


def test_a_missing_extra_is_named(latency, tmp_path, monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.delitem(sys.modules, "jinja2", raising=False)
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name == "jinja2" else real(name),
    )
    with pytest.raises(MissingDriverError, match=r"jinja2.*edgeseg\[convert\]"):
        write_report([tmp_path / "a.json"], tmp_path / "page.html")


def test_boards_with_equal_records_each_have_their_row(tmp_path):
    """Two new boards of one kind may say the same, byte for byte."""
    board = {"model": HOSTILE, "processor": "Chip", "architecture": "aarch64"}
    findings = [{"severity": "error", "found": HOSTILE}]
    content = {"worst": "error", "board": board, "findings": findings}
    for name in ("door", "yard"):
        (tmp_path / "records" / name).mkdir(parents=True)
        path = tmp_path / "records" / name / "doctor.json"
        path.write_text(json.dumps(content))
    assert write_report([tmp_path / "records"], tmp_path / "page.html") == 2
    page = Page((tmp_path / "page.html").read_text("utf-8"))
    assert len(page.ids) == len(set(page.ids))
    assert "door/doctor.json" in page.text
    assert "yard/doctor.json" in page.text
    assert set(page.links) <= {f"#{name}" for name in page.ids}
    assert "script" not in page.tags
