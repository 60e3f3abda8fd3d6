from __future__ import annotations

import numpy as np
import pytest

from edgeseg.devices import InputError
from edgeseg.runtime import CaptureOptions, open_source
from edgeseg.runtime.pictures import write_picture
from edgeseg.runtime.sources._rotation import rotated


@pytest.mark.parametrize(("degrees", "turns"), [(0, 0), (90, -1), (180, 2), (270, 1)])
def test_frames_are_turned_clockwise(degrees, turns):
    frame = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    np.testing.assert_array_equal(rotated(frame, degrees), np.rot90(frame, turns))


def test_every_kind_of_file_is_turned(tmp_path):
    frame = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    write_picture(tmp_path / "in" / "a.png", frame)
    for text in (
        tmp_path / "in",
        tmp_path / "in" / "a.png",
        "synthetic:60x40,frames=1",
    ):
        with open_source(str(text), CaptureOptions(rotate=90)) as source:
            turned = next(iter(source.captures())).frame
        assert turned.shape == (60, 40, 3)


@pytest.mark.parametrize(
    "options", [{"rotate": 45}, {"size_wh": (0, 4)}, {"fps": 0.0}, {"fps": -1.0}]
)
def test_what_no_source_can_do_is_refused(options):
    with pytest.raises(InputError, match="expected"):
        CaptureOptions(**options)
