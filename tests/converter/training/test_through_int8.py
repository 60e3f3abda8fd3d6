"""The second training, through the rounding that is shipped."""

from __future__ import annotations

import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from edgeseg.converter.finetune import finetune
from edgeseg.converter.loading.load import load_keras
from edgeseg.converter.training.settings import Pictures, Settings
from edgeseg.devices import InputError


def settings(root, start, photos, **options):
    return Settings(
        str(start), Pictures(root), rate=1e-5, epochs=1, int8=photos, **options
    )


def test_it_is_judged_rounded_and_saved_plain(drawn, shapes_keras, draw, tmp_path):
    photos = draw(tmp_path / "photos", 40, seed=8) / "images"
    for photo in photos.iterdir():  # not the names that the training is judged by
        photo.rename(photo.with_name(f"photo_{photo.name}"))
    result = finetune(settings(drawn, shapes_keras, photos), tmp_path / "out")
    before, after = (row["val_miou"] for row in result.rows)
    assert after > before - 0.02
    names = {type(layer).__name__ for layer in load_keras(result.path).layers}
    assert not {"FakeQuant", "RoundedWeights", "BatchNormalization"} & names


def test_photos_that_it_is_judged_by_are_refused(drawn, shapes_keras, tmp_path):
    with pytest.raises(InputError, match="also in the evaluation split"):
        finetune(settings(drawn, shapes_keras, drawn / "images"), tmp_path)


def test_nothing_cannot_be_rounded(drawn, tmp_path):
    with pytest.raises(InputError, match="--int8 needs a trained start"):
        finetune(settings(drawn, "none", drawn / "images"), tmp_path)
