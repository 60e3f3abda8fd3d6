"""The recipes of the models that ship, on a few of their pictures and fewer pixels."""

from __future__ import annotations

from dataclasses import replace

import pytest
from click.testing import CliRunner

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from edgeseg.converter.loading.load import load_model
from edgeseg.converter.shipped import keras_file, labels_file
from edgeseg.converter.shipped.recipe import main
from edgeseg.converter.shipped.recipes import RECIPES, animals, voc
from edgeseg.converter.shipped.recipes.recipe import Sources
from edgeseg.converter.training.finetune import finetune
from edgeseg.converter.training.settings import Network
from edgeseg.runtime import Segmenter
from edgeseg.runtime.shipped import MODEL_NAMES, model_file
from edgeseg.runtime.shipped.catalogue import shipped_models


@pytest.fixture
def sources(voc, shared, tmp_path):
    start = shared / "models/keras/deeplabv3_mobilenetv2_voc_os16_513_release.h5"
    return Sources(start, voc, tmp_path / "made")


@pytest.mark.long
def test_animals_learns(sources, shared, tmp_path):
    whole = animals.training(sources)
    google = shared / "models/tflite/google-coral/deeplabv3_mnv2_pascal_quant.tflite"
    short = replace(
        whole,
        pictures=replace(whole.pictures, limit=64, val_limit=24),
        network=Network(size=(129, 129)),
        teaching=replace(whole.teaching, model=google),
        rate=3e-4,
        new_rate=2e-4,
        epochs=6,
    )
    result = finetune(short, tmp_path)
    losses = [row["loss"] for row in result.rows[1:]]
    assert losses[-1] < losses[0]
    assert result.miou > result.rows[0]["val_miou"] + 0.02


@pytest.mark.long
def test_voc_learns_and_keeps_all_classes(sources, tmp_path):
    """At a size that the start was not made for, so that there is much to learn."""
    RECIPES["voc"].prepare(sources, print)
    whole = voc.training(sources)
    short = replace(
        whole,
        pictures=replace(whole.pictures, limit=64, val_limit=24),
        network=replace(whole.network, size=(129, 129)),
        teaching=replace(whole.teaching, sizes=(193, 257)),
        rate=3e-4,
        epochs=6,
        loss_every=2,
    )
    result = finetune(short, sources.output / "trained")
    losses = [row["loss"] for row in result.rows[1:]]
    assert losses[-1] < losses[0]
    assert result.miou > result.rows[0]["val_miou"] + 0.02
    assert len(result.labels.read_text().split()) == 21
    second = voc.rounding(sources, result.path)
    pictures = replace(second.pictures, limit=16, val_limit=24)
    short = replace(second, pictures=pictures)
    rounded = finetune(short, sources.output / "rounded")
    assert rounded.miou > result.miou - 0.02


def test_the_pictures_to_choose_by_are_not_those_to_judge_by(sources):
    RECIPES["voc"].prepare(sources, print)
    held = set((sources.output / "development.txt").read_text().split())
    train = sources.voc / "train-500"
    assert 50 <= len(held) <= 100
    assert held <= set((train / "train_voc_border.txt").read_text().split())
    assert not held & set((sources.voc / "val" / "val.txt").read_text().split())
    assert voc.training(sources).pictures.held == sources.output / "development.txt"


def test_a_start_that_is_not_there_ends_in_one_line(tmp_path):
    words = ["voc", str(tmp_path / "none.h5"), str(tmp_path), str(tmp_path / "made")]
    run = CliRunner().invoke(main, words)
    assert run.exit_code == 1
    assert run.output.splitlines()[-1].startswith("Error: ")


def test_there_is_a_recipe_for_every_name():
    assert set(RECIPES) == set(MODEL_NAMES)


@pytest.mark.parametrize("shipped", shipped_models(), ids=lambda one: one.name)
def test_what_ships_is_what_the_recipe_makes(shipped):
    size = {"animals": animals.SIZE, "voc": voc.SIZE}[shipped.name]
    model = load_model(keras_file(shipped.name)).model
    assert model.input.shape == (1, *size, 3)
    assert model.output.shape[-1] == len(shipped.classes)
    assert tuple(labels_file(shipped.name).read_text().split()) == shipped.classes
    with Segmenter.open(model_file(shipped.name)) as segmenter:
        assert segmenter.manifest.labels == shipped.classes
        assert segmenter.input_hw == size
        assert segmenter.device.inputs[0].dtype == "int8"
        provenance = segmenter.manifest.to_dict()
    assert provenance["input_size"] == list(size)
