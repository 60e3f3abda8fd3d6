"""The report page: whole, alone, honest about what is missing, safe to open."""

from __future__ import annotations

import base64
import io
import json
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("jinja2", reason="needs the extra `convert`")
pytest.importorskip("matplotlib", reason="needs the extra `convert`")

from edgeseg.converter.reporting.panels import Panel, draw_difference, shrink
from edgeseg.converter.reporting.report import write_report
from edgeseg.devices import InputError, OutputError
from edgeseg.runtime import Segmenter
from edgeseg.runtime.model.inspection import read_graph
from edgeseg.runtime.sources.synthetic import SyntheticSource

SECTIONS = ["accuracy", "worst", "budget", "parity"]
SECTIONS += ["operators", "layers", "calibration", "model"]
HOSTILE = "<script>alert('1')</script>\"&.jpg"
VOIDS = {"meta", "img", "link", "br", "input"}


class Page(HTMLParser):
    """What a browser would find: tags, addresses, ids and the text of sections."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.ids, self.open = [], [], [], []
        self.images, self.text, self.section, self.by_section = {}, "", "", {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append(tag)
        self.links += [values[k] for k in ("src", "href", "data") if k in values]
        if tag == "img":
            self.images[values["alt"]] = values["src"]
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "section":
            self.section = values["id"]
        if tag not in VOIDS:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        self.by_section[self.section] = self.by_section.get(self.section, "") + data


def page_of(folder):
    return Page((folder / "report.html").read_text("utf-8"))


@pytest.fixture(scope="module")
def panels(golden_model):
    """Drawn scenes, their truth, and the golden model on them, sharp and blurred."""
    import cv2

    source = SyntheticSource("400x300,still,seed=2")
    made = []
    with Segmenter.open(golden_model) as segmenter:
        for index in range(2):
            frame, truth = source.scene(index)
            truth[0] = 255
            answers = [
                segmenter.segment(f).ids for f in (frame, cv2.blur(frame, (9, 9)))
            ]
            made.append((f"scene{index}", frame, truth, *answers))
        return made, segmenter.manifest


@pytest.fixture(scope="module")
def full(golden_model):
    """Every section filled, names among them that mean harm."""
    operators = read_graph(golden_model.read_bytes()).operators
    scores = {"miou": 0.7365, "pixel_accuracy": 0.92, "mean_accuracy": 0.81}
    parity = {"agreement": 0.99998, "largest_difference": 3e-5, "score_range": 21.3}
    interval = {"difference": 0.0071, "low": -0.0009, "high": 0.0162}
    return {
        "title": HOSTILE,
        "model": {"source": HOSTILE, "recipe": "int8", "input_size": [257, 257]},
        "versions": {"edgeseg": "0.1.0"},
        "sizes": {"float_bytes": 2_834_120, "result_bytes": 977_432},
        "hashes": {"source": "1f" * 32, "float": "2f" * 32, "result": "3f" * 32},
        "operators": {"float": operators, "result": {**operators, "QUANTIZE": 2}},
        "float_tensors": [{"name": HOSTILE, "dtype": "float32", "reason": "<b>why"}],
        "parity": {"images": 16, **parity},
        "int8_parity": {"images": 16, **parity, "agreement": 0.98312},
        "layers": [
            {"name": f"block/{HOSTILE}/$x_{i}$", "operator": "CONV_2D", "sqnr_db": db}
            for i, db in enumerate([31.5, 12.25, float("inf"), None, -3.0, 40.0])
        ],
        "accuracy": {
            "dataset": HOSTILE,
            "split": "val",
            "images": 225,
            "reference": {**scores, "fw_iou": 0.86},
            "result": {**scores, "miou": 0.7294, "fw_iou": 0.85},
            "drop": interval,
            "agreement": 0.98312,
            "per_class": [
                {"label": "disc", "reference": 0.8, "result": 0.7, **interval},
                {"label": HOSTILE, "reference": None, "difference": None},
            ],
            "boundary": {"reference": 0.61, "result": 0.5925},
            "worst": [{"name": "scene1", "loss": 0.125, "agreement": 0.75}],
        },
        "budget": {
            "max_drop": 0.001,
            "met": False,
            "reason": HOSTILE,
            "curve": [
                {"kept": 0, "drop": 0.0093, "latency_ms": 6.1, "miou": 0.72},
                {"kept": 5, "drop": 0.0012, "latency_ms": None, "miou": 0.73},
            ],
            "chosen": 5,
            "verification": {"images": 112, "drop": 0.0039, "met": False},
        },
        "remedies": [{"name": "equalization", "used": True, "miou": 0.7301}],
        "calibration": {
            "seed": 7,
            "pictures": [{"name": HOSTILE, "sha256": "4f" * 32, "size": [500, 375]}],
        },
        "timings": {"seconds": 41.2, "peak_bytes": 2_310_000_000},
    }


@pytest.fixture(scope="module")
def written(full, panels, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "made"
    write_report(folder, full, panels=panels[0], manifest=panels[1])
    return folder


def test_the_page_stands_alone(written):
    page = page_of(written)
    assert page.links
    for link in page.links:
        assert link.startswith(("data:image/", "#")), link[:80]
    text = (written / "report.html").read_text("utf-8")
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert "url(" not in text
    assert "@import" not in text
    assert "viewport" in text
    assert sorted(p.name for p in written.iterdir()) == ["report.html", "report.json"]


def test_every_section_is_there_once_with_its_figures(written):
    page = page_of(written)
    assert page.ids == SECTIONS
    assert not page.open
    for section, figures in {
        "accuracy": ["73.65 %", "72.94 %", "+0.71", "-0.09", "+1.62", "98.31 %"],
        "worst": ["+12.50 points", "75.0 %", "background", "disc"],
        "budget": ["0.1 points", "+0.93", "+0.12", "72.00 %", "6.1", "+0.39"],
        "parity": ["99.998 %", "98.312 %", "3e-05", "21.3"],
        "operators": ["QUANTIZE", "CONV_2D", "float32"],
        "layers": ["31.5", "12.2", "-3", "40"],
        "calibration": ["1 picture", "seed 7", "375"],
        "model": ["257", "2.8 MB", "977.4 kB", "41.2 seconds", "2.3 GB", "0.1.0"],
    }.items():
        for figure in figures:
            assert figure in page.by_section[section], (section, figure)
    assert "not met" in page.by_section["budget"]
    assert "no truth of it" in page.by_section["accuracy"]


def test_hostile_names_are_text(written):
    page = page_of(written)
    for section in ("accuracy", "budget", "operators", "layers", "calibration"):
        assert HOSTILE in page.by_section[section], section
    assert "<b>why" in page.by_section["operators"]


def test_the_pictures_are_what_was_given(written, panels):
    page = page_of(written)
    (_, photo, truth, reference, result), manifest = panels[0][1], panels[1]

    def shown(name):
        content = base64.b64decode(page.images[name].split(",")[1])
        return np.array(Image.open(io.BytesIO(content)).convert("RGB"))

    small = shrink(Panel("scene1", photo, truth, reference, result))
    drawn = shown("float's answer to scene1")
    assert drawn.shape == (240, 320, 3)
    palette = np.array(manifest.palette, np.uint8)
    np.testing.assert_array_equal(drawn, palette[small.reference])
    true = shown("truth of scene1")
    np.testing.assert_array_equal(true[0], np.full((320, 3), 215))
    np.testing.assert_array_equal(shown("difference on scene1"), draw_difference(small))
    np.testing.assert_allclose(
        shown("photo scene1").mean((0, 1)), photo.mean((0, 1)), atol=2
    )


def test_the_difference_says_who_is_right():
    truth = np.uint8([[1, 1, 1, 1, 255]])
    reference = np.uint8([[1, 1, 2, 2, 1]])
    result = np.uint8([[1, 2, 1, 3, 2]])
    photo = np.full((1, 5, 3), 255, np.uint8)
    drawn = draw_difference(Panel("a", photo, truth, reference, result))[0]
    assert len(set(drawn[0])) == 1  # equal: grey
    red, blue, yellow, void = (tuple(pixel) for pixel in drawn[1:])
    assert red[0] > 200 > red[2]
    assert blue[2] > 200 > blue[0]
    assert yellow == void
    unknown = draw_difference(Panel("a", photo, None, reference, result))[0]
    assert {tuple(p) for p in unknown[1:]} == {yellow}


def test_the_json_says_the_same(written, full):
    told = json.loads((written / "report.json").read_text("utf-8"))
    assert told["layers"][2]["sqnr_db"] is None  # JSON knows no infinity
    assert told["accuracy"] == full["accuracy"]
    assert told["title"] == HOSTILE
    assert list(told) == list(full)


def test_what_was_not_measured_is_said_and_not_made_up(tmp_path):
    write_report(tmp_path, {"title": "bare"})
    page = page_of(tmp_path)
    assert page.ids == SECTIONS
    assert not page.images
    for section in set(SECTIONS) - {"budget"}:
        assert "Not " in page.by_section[section], section
    assert "No budget was set" in page.by_section["budget"]
    figures = [c for c in page.text.split("Accuracy", 1)[1] if c.isdigit()]
    assert not figures
    assert json.loads((tmp_path / "report.json").read_text()) == {"title": "bare"}


@pytest.mark.parametrize("left_out", ["drop", "per_class", "boundary", "worst"])
def test_a_part_may_be_missing(left_out, full, tmp_path):
    accuracy = {k: v for k, v in full["accuracy"].items() if k != left_out}
    write_report(tmp_path, {"accuracy": accuracy})
    assert "72.94 %" in page_of(tmp_path).by_section["accuracy"]


@pytest.mark.parametrize(
    "left_out", ["max_drop", "met", "reason", "curve", "chosen", "verification"]
)
def test_a_budget_may_be_told_in_part(left_out, full, tmp_path):
    budget = {k: v for k, v in full["budget"].items() if k != left_out}
    write_report(tmp_path, {"budget": budget})
    assert "not met" in page_of(tmp_path).by_section["budget"]


def test_no_tensors_in_float_is_not_the_same_as_not_looked(tmp_path):
    write_report(tmp_path, {"float_tensors": []})
    assert "None." in page_of(tmp_path).by_section["operators"]


def test_one_report_gives_one_page(written, full, panels, tmp_path):
    write_report(tmp_path, full, panels=panels[0], manifest=panels[1])
    for name in ("report.html", "report.json"):
        assert (tmp_path / name).read_bytes() == (written / name).read_bytes()


def test_panels_of_two_sizes_are_refused(panels, tmp_path):
    name, photo, truth, reference, result = panels[0][0]
    with pytest.raises(InputError, match="one size for scene0"):
        write_report(tmp_path, {}, panels=[(name, photo, truth, reference[1:], result)])
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "report.json").mkdir()
    with pytest.raises(OutputError, match="a folder of that name"):
        write_report(tmp_path, {"title": "x"})
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]
