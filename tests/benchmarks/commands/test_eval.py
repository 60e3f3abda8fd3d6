"""`edgeseg eval`: the record, what it is held against, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from scenes import draw_dataset

from edgeseg.benchmarks.commands.reference import reference
from edgeseg.devices import EdgesegError
from edgeseg.runtime import Overrides, Segmenter
from edgeseg.runtime.accuracy.evaluation import evaluate_pair
from edgeseg.runtime.accuracy.open import open_dataset
from edgeseg.runtime.cli import main

DARKER = ("--normalize", "100,127.5")
# What every record had before the others were added
KEYS = {
    *("miou", "per_class_iou", "pixel_accuracy", "mean_accuracy", "fw_iou"),
    *("images", "model", "model_sha256", "dataset", "split", "classes", "versions"),
    *("protocol", "device", "merge_others"),
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return draw_dataset(tmp_path_factory.mktemp("drawn"))


@pytest.fixture(scope="module")
def made(drawn, golden_model, tmp_path_factory):
    """The shipped model fed wrongly: a reference that is worse."""
    folder = tmp_path_factory.mktemp("made") / "ref"
    call(reference, golden_model, drawn, "-o", folder, *DARKER)
    return folder


def call(command, *arguments):
    done = CliRunner().invoke(command, [str(a) for a in arguments])
    if isinstance(done.exception, EdgesegError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def scored(*arguments):
    """Return what `edgeseg eval` prints."""
    done = CliRunner().invoke(main, ["eval", *(str(a) for a in arguments)])
    return done.exit_code, done.output


def record_of(path, *arguments):
    code, output = scored(*arguments, "--json", path)
    assert code == 0, output
    return json.loads(path.read_text())


def refused(*arguments):
    code, output = scored(*arguments)
    assert code == 1
    lines = [line for line in output.splitlines() if not line.startswith("Note")]
    assert len(lines) == 1, output
    return lines[0]


def test_eval_writes_the_record(golden_model, drawn, tmp_path):
    told = record_of(tmp_path / "record.json", golden_model, drawn)
    assert set(told) >= KEYS
    assert told["images"] == 12
    assert told["network_size"]["input_hw"] == [129, 129]
    for score in (told["miou"], told["boundary"]["miou"], told["network_size"]["miou"]):
        assert 0.7 < score < 1
    assert told["boundary"]["miou"] < told["miou"]
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_classes_in_no_mean_are_named(golden_model, drawn, tmp_path):
    path = tmp_path / "eval.json"
    code, output = scored(golden_model, drawn, "--classes", "disc", "--json", path)
    assert code == 0
    assert "in no mean, of the model: background, square, triangle" in output
    assert json.loads(path.read_text())["left_out"]["model"][0] == "background"
    assert "in no mean" not in scored(golden_model, drawn)[1]


def test_limit_takes_the_first(golden_model, drawn, tmp_path):
    told = record_of(tmp_path / "r.json", golden_model, drawn, "--limit", "4")
    assert (told["images"], told["limit"]) == (4, 4)


def test_network_size_is_labelled(golden_model, drawn):
    _, output = scored(golden_model, drawn, "--limit", "2")
    assert "mIoU at network size" in output
    assert "129x129, truth by nearest pixel; not the own size" in output


def test_against_is_the_paired_difference(golden_model, drawn, made, tmp_path):
    path = tmp_path / "r.json"
    told = record_of(path, golden_model, drawn, "--against", made)["against"]
    with (
        Segmenter.open(golden_model, overrides=Overrides(normalize=(100, 127.5))) as a,
        Segmenter.open(golden_model) as b,
    ):
        pair = evaluate_pair(a, b, open_dataset(drawn, "val")).to_dict()
    assert {key: told[key] for key in pair} == json.loads(json.dumps(pair))
    assert told["drop"]["high"] < 0  # the reference is the worse one
    pixels = np.array(told["flips"]["pixels"])
    np.testing.assert_allclose(
        np.trace(pixels) / pixels.sum(), told["agreement"], rtol=1e-12
    )
    assert pixels.sum() == 12 * 160 * 120


def test_against_honours_classes(golden_model, drawn, made, tmp_path):
    path, options = tmp_path / "r.json", ("--classes", "disc", "--merge-others")
    told = record_of(path, golden_model, drawn, "--against", made, *options)
    assert told["against"]["classes"] == ["disc"]
    assert told["against"]["result"]["miou"] == told["miou"]


def test_reference_of_other_pictures_is_refused(golden_model, made, tmp_path):
    other = draw_dataset(tmp_path / "other", 4)
    line = refused(golden_model, other, "--against", made)
    assert "another data set" in line


def test_reference_of_another_split_is_refused(golden_model, drawn, made, tmp_path):
    (drawn / "few.txt").write_text("scene0\n")
    line = refused(golden_model, drawn, "--split", "few", "--against", made)
    assert "another split: expected few, got val" in line


def test_reference_of_other_labels_is_refused(golden_model, drawn, made, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("background\ndisc\nsquare\nstar\n")
    line = refused(golden_model, drawn, "--labels", names, "--against", made)
    assert "a model of other classes" in line
    options = ("--labels", names, "--truth-labels", names)
    line = refused(golden_model, drawn, *options, "--against", made)
    assert "other class names of the truth" in line


def test_reference_of_another_model_is_refused(golden_model, drawn, made, tmp_path):
    """A model that says what it was made of must not be held against a third one."""
    record = json.loads((made / "reference.json").read_text())
    other = tmp_path / "ref"
    other.mkdir()
    for name in ("pictures.jsonl", "ids"):
        (other / name).symlink_to(made / name)
    record |= {"model": "third.keras", "model_sha256": "0" * 64, "sources": ["0" * 64]}
    (other / "reference.json").write_text(json.dumps(record))
    line = refused(golden_model, drawn, "--against", other)
    assert "made with another model (third.keras, sha256 0000000000000000)" in line
    assert scored(golden_model, drawn, "--against", other, "--other-model")[0] == 0


def test_shorter_reference_is_refused_for_more(golden_model, drawn, tmp_path):
    call(reference, golden_model, drawn, "-o", tmp_path / "ref", "--limit", "2")
    line = refused(golden_model, drawn, "--against", tmp_path / "ref")
    assert "--limit 2" in line
    short = ("--against", tmp_path / "ref", "--limit", "2")
    assert scored(golden_model, drawn, *short)[0] == 0


def test_no_reference_is_told(golden_model, drawn, tmp_path):
    assert "made by edgeseg reference" in refused(
        golden_model, drawn, "--against", tmp_path
    )


def test_others_without_classes_are_refused(golden_model, drawn):
    assert "which are the others" in refused(golden_model, drawn, "--merge-others")


BAD = {
    "size": (np.zeros((5, 7), np.uint8), "differ in size: 160x120 and 7x5"),
    "colour": (np.zeros((120, 160, 3), np.uint8), "got a picture of mode RGB"),
    "id": (np.full((120, 160), 9, np.uint8), "ids [9] are neither one of 4 labels"),
    "missing": (None, "1 of 2 pictures"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_mask_is_one_line(kind, golden_model, tmp_path):
    pixels, words = BAD[kind]
    mask = draw_dataset(tmp_path, 2) / "SegmentationClass" / "scene1.png"
    mask.unlink()
    if pixels is not None:
        Image.fromarray(pixels).save(mask)
    assert words in refused(golden_model, tmp_path)


def test_a_moved_label_map_is_refused(golden_model, drawn, tmp_path):
    folder = tmp_path / "ref"
    call(reference, golden_model, drawn, "-o", folder, "--limit", "3")
    ids = folder / "ids"
    (ids / "scene1.png").write_bytes((ids / "scene2.png").read_bytes())
    assert "scene1.png is not the label map" in refused(
        golden_model, drawn, "--against", folder, "--limit", "3"
    )
