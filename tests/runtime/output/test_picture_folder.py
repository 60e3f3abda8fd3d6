"""Pictures of a run whose folder is removed under it."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from edgeseg.devices import OutputError
from edgeseg.runtime import Capture, Manifest, Segmentation, Style
from edgeseg.runtime.output.open import open_sink
from edgeseg.runtime.output.picture_folder import PictureFolder

IDS = np.zeros((8, 8), np.uint8)
PICTURE = np.zeros((8, 8, 3), np.uint8)


@pytest.fixture(params=["", "masks:"])
def sink(request, tmp_path):
    style = Style(Manifest(labels=("background",)))
    with open_sink(f"{request.param}{tmp_path}/out/", style) as opened:
        yield opened


def write(sink, name):
    sink.write(Capture(PICTURE, name, 0.0), Segmentation(IDS, (), {}))


def test_a_folder_that_is_removed_is_not_made_again(sink, tmp_path):
    folder = tmp_path / "out"
    write(sink, "a")
    sink.check()
    (folder / "a.png").rename(tmp_path / "a.png")  # somebody takes the pictures away
    write(sink, "b/c")
    shutil.rmtree(folder)
    with pytest.raises(OutputError, match=r"out was removed while it was written$"):
        sink.check()
    with pytest.raises(OutputError, match=r"out was removed while it was written$"):
        write(sink, "d")
    assert not folder.exists()


def test_a_folder_that_is_removed_in_the_middle_of_a_picture(tmp_path):
    folder = PictureFolder(tmp_path / "out")

    def write_nowhere(path):
        shutil.rmtree(path.parent)
        raise OutputError(f"cannot write {path}: No such file or directory")

    folder.write("a", lambda path: path.parent.mkdir())
    with pytest.raises(OutputError, match=r"out was removed while it was written$"):
        folder.write("b", write_nowhere)
