"""The second training, through the rounding that is shipped."""

from __future__ import annotations

import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from edgeseg.converter.loading.load import load_keras
from edgeseg.converter.training.finetune import finetune
from edgeseg.converter.training.settings import Pictures, Settings
from edgeseg.devices import InputError

pytestmark = pytest.mark.long  # converts or trains real networks


def settings(root, start, photos, **options):
    return Settings(
        str(start), Pictures(root), rate=1e-5, epochs=1, int8=photos, **options
    )


def test_it_is_judged_rounded_and_saved_plain(drawn, shapes_keras, tmp_path):
    told = []
    result = finetune(
        settings(drawn, shapes_keras, drawn / "images"), tmp_path, progress=told.append
    )
    # a tenth of the 64 are held out to judge by, and not calibrated with
    assert "rounding as int8 does, calibrated on 58 photos" in told
    before, after = (row["val_miou"] for row in result.rows)
    assert after > before - 0.02
    names = {type(layer).__name__ for layer in load_keras(result.path).layers}
    assert not {"FakeQuant", "RoundedWeights", "BatchNormalization"} & names


def test_too_few_photos_are_refused(drawn, shapes_keras, draw, tmp_path):
    photos = draw(tmp_path / "few", 10) / "images"
    with pytest.raises(InputError, match="at least 32"):
        finetune(settings(drawn, shapes_keras, photos), tmp_path / "out")


def test_nothing_cannot_be_rounded(drawn, tmp_path):
    with pytest.raises(InputError, match="--int8 needs a trained start"):
        finetune(settings(drawn, "none", drawn / "images"), tmp_path)
