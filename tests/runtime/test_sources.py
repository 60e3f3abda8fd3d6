from __future__ import annotations

import pytest

from edgeseg.devices import InputError, TensorSpec
from edgeseg.devices.fake import Fake
from edgeseg.runtime import Manifest, Segmenter, Style, open_sink, run_pipeline
from edgeseg.runtime.pictures import write_picture
from edgeseg.runtime.sources import open_source
from edgeseg.runtime.sources.synthetic import SyntheticSource


def segmenter():
    image = TensorSpec("image", (1, 16, 16, 3), "uint8", 1 / 128, 128)
    return Segmenter(
        Fake((image,), (TensorSpec("ids", (1, 16, 16), "int32"),)), Manifest()
    )


@pytest.fixture
def folder(tmp_path):
    for capture in SyntheticSource("40x30,frames=3").captures():
        write_picture(tmp_path / "in" / f"{capture.name}.jpg", capture.frame)
    return tmp_path / "in"


def test_a_truncated_picture_is_told_after_the_others_are_done(folder, tmp_path):
    broken = folder / "scene_000001.jpg"
    broken.write_bytes(broken.read_bytes()[:300])
    source = open_source(str(folder))
    sink = open_sink(f"masks:{tmp_path / 'out'}", Style(Manifest()))
    with pytest.raises(InputError, match=r"1 of 3 .*scene_000001\.jpg"):
        run_pipeline(source, segmenter(), [sink])
    assert len(source.failures) == 1
    done = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert done == ["scene_000000.png", "scene_000002.png"]


def test_only_pictures_that_every_sink_has_are_left_out(folder, tmp_path):
    style = Style(Manifest())

    def sinks(*names):
        return [open_sink(f"masks:{tmp_path / name}", style) for name in names]

    run_pipeline(open_source(str(folder)), segmenter(), sinks("one"))
    (tmp_path / "one" / "scene_000002.png").unlink()
    for names, done in ((("one", "two"), 3), (("one", "two"), 0)):
        tally = run_pipeline(
            open_source(str(folder)), segmenter(), sinks(*names), skip_existing=True
        )
        assert (tally.done, tally.skipped) == (done, 3 - done)


def test_still_scenes_differ_from_frame_to_frame():
    source = SyntheticSource("64x48,still,seed=3")
    assert (source.scene(0)[1] != source.scene(1)[1]).any()


@pytest.mark.parametrize(
    "option", ["7x8", "9000x10", "8x8x8", "frames=0", "frames=-1", "seed=x", "fast"]
)
def test_an_option_of_a_scene_that_is_none_is_refused(option):
    with pytest.raises(InputError, match=f"got '{option}'"):
        open_source(f"synthetic:{option}")


def test_a_folder_without_pictures_and_a_missing_path_are_refused(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match="no pictures in"):
        open_source(str(tmp_path))
    with pytest.raises(InputError, match="no such file, folder or source"):
        open_source(str(tmp_path / "missing"))
