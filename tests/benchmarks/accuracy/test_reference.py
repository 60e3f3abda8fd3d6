"""References: what the record says, and what damage to the folder does."""

from __future__ import annotations

import json
import os
import sys

import numpy as np
import pytest
from scenes import draw_dataset

from edgeseg.benchmarks.accuracy.make_reference import (
    cpu_name,
    make_reference,
    processor,
)
from edgeseg.benchmarks.accuracy.reference import dataset_of, open_reference, sources_of
from edgeseg.benchmarks.accuracy.subject import EvalScope, Subject
from edgeseg.benchmarks.record import content_sha256, model_sha256, open_model
from edgeseg.devices import InputError
from edgeseg.runtime import Overrides, Segmenter
from edgeseg.runtime.accuracy.counts import Counts
from edgeseg.runtime.accuracy.evaluation import evaluate
from edgeseg.runtime.accuracy.open import open_dataset
from edgeseg.runtime.drawing.overlay import colour_table


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return draw_dataset(tmp_path_factory.mktemp("drawn"), 4)


def make(model, drawn, folder, **options):
    with open_model(model, "auto", None, Overrides()) as segmenter:
        subject = Subject(model, segmenter, drawn, open_dataset(drawn, "val"))
        return make_reference(subject, folder, EvalScope("val", **options))


@pytest.fixture
def made(golden_model, drawn, tmp_path):
    make(golden_model, drawn, tmp_path / "ref")
    return tmp_path / "ref"


def test_the_record_has_scores_hashes_and_conditions(made, golden_model, drawn):
    record = json.loads((made / "reference.json").read_text())
    with Segmenter.open(golden_model) as segmenter:
        expected = evaluate(segmenter, open_dataset(drawn, "val"))
    np.testing.assert_allclose(record["miou"], expected.own.miou, rtol=1e-12)
    assert record["model_sha256"] == model_sha256(golden_model)
    assert record["processor"] == {"kind": "cpu", "name": cpu_name()}
    assert not record["float"]
    assert len(record["data_sha256"]) == 64
    assert record["data_labels"] == record["model_labels"]
    assert str(drawn) not in (made / "reference.json").read_text()
    assert dataset_of(made) == drawn.resolve()


def test_the_counts_are_kept_a_picture(made, golden_model, drawn):
    lines = (made / "pictures.jsonl").read_text().splitlines()[1:]
    rows = [Counts.from_dict(json.loads(line)) for line in lines]
    with Segmenter.open(golden_model) as segmenter:
        expected = evaluate(segmenter, open_dataset(drawn, "val")).pictures
    assert [row.own for row in rows] == [picture.own for picture in expected]


def test_label_maps_are_palette_pictures(made, golden_model):
    from PIL import Image

    with Image.open(made / "ids" / "scene2.png") as image:
        assert image.mode == "P"
        palette = np.array(image.getpalette(), np.uint8).reshape(-1, 3)
    with Segmenter.open(golden_model) as segmenter:
        table = colour_table(segmenter.manifest.palette)
    np.testing.assert_array_equal(palette, table)


def test_a_finished_reference_is_left_as_it_is(made, golden_model, drawn):
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    make(golden_model, drawn, made)
    assert {p: p.read_bytes() for p in made.rglob("*") if p.is_file()} == before


def test_a_folder_with_another_reference_is_refused(made, golden_model, drawn):
    with pytest.raises(InputError, match=r"another run \(other limit\)"):
        make(golden_model, drawn, made, limit=2)


def test_records_that_do_not_belong_together_are_refused(made):
    path = made / "pictures.jsonl"
    path.write_bytes(path.read_bytes() + path.read_bytes().splitlines()[-1] + b"\n")
    with pytest.raises(InputError, match="do not belong together"):
        open_reference(made)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kind": 1}', "[" * 100_000])
def test_a_damaged_record_is_refused(made, text):
    (made / "reference.json").write_text(text)
    with pytest.raises(InputError, match=r"cannot read the reference|damaged"):
        open_reference(made)


def test_a_missing_label_map_is_told(made):
    (made / "ids" / "scene1.png").unlink()
    with pytest.raises(InputError, match=r"scene1\.png"):
        open_reference(made).ids("scene1")
    with pytest.raises(InputError, match="has no picture scene9"):
        open_reference(made).ids("scene9")


def test_a_reference_that_does_not_say_where_its_pictures_were(made):
    (made / "dataset.txt").unlink()
    with pytest.raises(InputError, match="--dataset"):
        dataset_of(made)


def test_sources_are_the_model_and_what_it_was_made_of():
    assert sources_of("a", {}) == ("a",)
    assert sources_of("a", {"source_sha256": "b"}) == ("a", "b")


def test_a_folder_is_hashed_with_all_its_files(tmp_path):
    for name in ("saved_model.pb", "variables/data"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    graph, content = model_sha256(tmp_path), content_sha256(tmp_path)
    (tmp_path / "variables" / "data").write_bytes(b"y")
    assert model_sha256(tmp_path) == graph
    assert content_sha256(tmp_path) != content


def test_an_unknown_backend_computes_on_the_cpu():
    assert processor(None) == processor("numpy") == {"kind": "cpu", "name": cpu_name()}


def test_a_float_keras_model_is_the_reference(shapes_keras, golden_model, drawn, made):
    """The model that the int8 file says it was made of: taken, and nearly equal."""
    pytest.importorskip("tensorflow", reason="needs the extra `convert`")
    folder = made.parent / "keras"
    with open_model(shapes_keras, "auto", None, Overrides()) as segmenter:
        subject = Subject(shapes_keras, segmenter, drawn, open_dataset(drawn, "val"))
        record = make_reference(subject, folder, EvalScope("val"))
    assert record["float"]
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    assert record["device"]["backend"] == backend
    assert record["versions"][backend] == sys.modules[backend].__version__
    with Segmenter.open(golden_model) as segmenter:
        provenance = segmenter.manifest.provenance
        reference = open_reference(folder)
        sources = sources_of(model_sha256(golden_model), provenance)
        reference.check_model(segmenter.manifest.labels, sources)
        with pytest.raises(InputError, match="made with another model"):
            reference.check_model(segmenter.manifest.labels, ("a", "b"))
        reference.check_model(segmenter.manifest.labels, ("a", "b"), any_model=True)
