"""The recipe of the model that ships, on 64 of its pictures and fewer pixels."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from edgeseg.converter.loading.load import load_model
from edgeseg.converter.shipped import keras_file, labels_file
from edgeseg.converter.shipped.recipe import CLASSES, SIZE, training
from edgeseg.converter.training.finetune import finetune
from edgeseg.converter.training.settings import Network
from edgeseg.runtime import Segmenter
from edgeseg.runtime.shipped import model_file


@pytest.mark.long
def test_the_loss_falls_and_the_score_rises(voc, shared, tmp_path):
    start = shared / "models/keras/deeplabv3_mobilenetv2_voc_os16_513_release.h5"
    teacher = shared / "models/tflite/google-coral/deeplabv3_mnv2_pascal_quant.tflite"
    whole = training(start, voc, teacher)
    short = replace(
        whole,
        pictures=replace(whole.pictures, limit=64, val_limit=24),
        network=Network(size=(129, 129)),
        rate=3e-4,
        new_rate=2e-4,
        epochs=6,
    )
    result = finetune(short, tmp_path)
    losses = [row["loss"] for row in result.rows[1:]]
    assert losses[-1] < losses[0]
    assert result.miou > result.rows[0]["val_miou"] + 0.02


def test_what_ships_is_what_the_recipe_makes():
    model = load_model(keras_file()).model
    assert model.input.shape == (1, *SIZE, 3)
    assert model.output.shape[-1] == len(CLASSES)
    assert tuple(labels_file().read_text().split()) == CLASSES
    with Segmenter.open(model_file()) as segmenter:
        assert segmenter.manifest.labels == CLASSES
        assert segmenter.input_hw == SIZE
        assert segmenter.device.inputs[0].dtype == "int8"
        provenance = segmenter.manifest.to_dict()
    assert provenance["input_size"] == list(SIZE)
