"""What an actor does, without Ray: the same as a run."""

from __future__ import annotations

import pytest
from archives import as_run, common, files_of, run_on_one_machine

from edgeseg.devices import OutputError
from edgeseg.runtime import Segmenter
from edgeseg.runtime.archive.listing import items_of
from edgeseg.runtime.archive.output_folder import OutputFolder
from edgeseg.runtime.archive.segmenting import Segmenting
from edgeseg.runtime.archive.work import FRAMES, Batch, Job, Sample, batches_of


@pytest.fixture
def make(golden_model, tmp_path):
    """Return what opens a worker on a folder of its own."""
    with Segmenter.open(golden_model) as opened:
        manifest = opened.manifest

    def opened_for(folder=tmp_path / "out", **changes):
        folder.mkdir(exist_ok=True)
        values = {
            "model": golden_model.read_bytes(),
            "model_name": golden_model.name,
            "manifest": manifest,
            "output": str(folder),
            "folder": "/",
        }
        with OutputFolder(folder, {}) as output:
            return Segmenting(Job(**{**values, "key": output.key, **changes}))

    return opened_for


def done_by(worker, batches):
    rows, unread = [], []
    waiting = list(batches)
    while waiting:
        done = worker(waiting.pop(0))
        rows += done.rows
        unread += done.unread
        if done.rest is not None:
            waiting.insert(0, Batch((done.rest,)))
    return rows, unread


def test_masks_and_rows_are_those_of_a_run(make, golden_model, photos, tmp_path):
    expected = run_on_one_machine(golden_model, photos, tmp_path / "run")
    with make() as worker:
        rows, unread = done_by(worker, batches_of(items_of([str(photos)])))
    assert {row["name"]: as_run(row) for row in rows} == {
        name: common(row) for name, row in expected.items()
    }
    assert files_of(tmp_path / "out" / "masks") == files_of(tmp_path / "run" / "masks")
    assert {each.name: each.reason.split(":")[0] for each in unread} == dict.fromkeys(
        ("1/bad", "2/cut", "bad"), "cannot read picture"
    )


def test_a_video_is_done_piece_by_piece(make, golden_model, clip, tmp_path):
    expected = run_on_one_machine(golden_model, clip, tmp_path / "run")
    with make() as worker:
        first = worker(Batch(tuple(items_of([str(clip)]))))
        assert (len(first.rows), first.rest.first) == (FRAMES, FRAMES)
        rows, _ = done_by(worker, [Batch((first.rest,))])
    assert [row["frame"] for row in first.rows + rows] == list(range(300))
    assert {row["name"]: as_run(row) for row in first.rows + rows} == {
        name: common(row) for name, row in expected.items()
    }
    assert files_of(tmp_path / "out" / "masks") == files_of(tmp_path / "run" / "masks")
    with make(tmp_path / "other") as other:  # which has not seen the beginning
        again, _ = done_by(other, [Batch((first.rest,))])
    assert again == rows


def test_frames_of_a_sample(make, clip):
    with make(sample=Sample(0.1)) as worker:
        rows, _ = done_by(worker, [Batch(tuple(items_of([str(clip)])))])
    assert 5 < len(rows) < 70
    assert {row["name"] for row in rows} == {
        f"clip_{i:06d}" for i in range(300) if Sample(0.1).has(f"clip_{i:06d}")
    }


def test_a_url_gives_what_its_file_gives(make, photos, tmp_path):
    pytest.importorskip("pyarrow", reason="needs the extra `archive`")
    for folder, source in (("out", str(photos)), ("url", f"file://{photos}")):
        with make(tmp_path / folder) as worker:
            _, unread = done_by(worker, batches_of(items_of([source])))
        assert len(unread) == 3
        assert "/tmp/edgeseg-" not in "".join(each.reason for each in unread)
    assert files_of(tmp_path / "out" / "masks") == files_of(tmp_path / "url" / "masks")


def test_another_machines_folder_is_noticed(make):
    with pytest.raises(OutputError, match="all machines of the cluster share"):
        make(key="another")
