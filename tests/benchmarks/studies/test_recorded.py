"""A network that answered elsewhere counts like one that answers here."""

from __future__ import annotations

import click
import numpy as np
import pytest
from click.testing import CliRunner

from edgeseg.benchmarks.studies.recorded import (
    answers_of,
    recorded_like,
)
from edgeseg.benchmarks.studies.scoring_options import matching_of, scoring_options
from edgeseg.devices import ModelError
from edgeseg.runtime import Segmenter


class Pictures:
    """Three pictures with truth, as a data set has them."""

    name, labels, void = "three", ("background", "one", "two"), 255

    def __init__(self):
        random = np.random.default_rng(5)
        self.ids = ("a", "b", "c")
        self._frames = {
            name: random.integers(0, 256, (20, 24, 3)).astype(np.uint8)
            for name in self.ids
        }

    def picture(self, name):
        return self._frames[name]


@pytest.fixture
def plain(golden_model):
    with Segmenter.open(golden_model) as segmenter:
        yield segmenter


def test_answers_come_back_for_their_own_tensors_alone(plain):
    pictures = Pictures()
    answers = answers_of(plain, pictures)
    recorded = recorded_like(plain, pictures, answers)
    for name in pictures.ids:
        frame = pictures.picture(name)
        np.testing.assert_array_equal(
            recorded.segment(frame).ids, plain.segment(frame).ids
        )
    swapped = recorded_like(plain, pictures, answers[::-1])
    frame = pictures.picture("a")
    assert (swapped.segment(frame).ids != plain.segment(frame).ids).any()
    with pytest.raises(ModelError, match="no answer to this tensor"):
        recorded.segment(255 - frame)
    assert recorded.device.describe() == {"device": "recorded"}


def test_studies_take_the_same_options():
    @click.command()
    @scoring_options
    def study(split, classes, note):
        click.echo(f"{split} {len(matching_of(classes).classes)} {note!r}")

    assert CliRunner().invoke(study, []).output == "val 7 ''\n"
    chosen = ["--split", "train", "--classes", "cat,dog", "--note", "x"]
    assert CliRunner().invoke(study, chosen).output == "train 2 'x'\n"
