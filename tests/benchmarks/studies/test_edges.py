from __future__ import annotations

import numpy as np

from edgeseg.benchmarks.studies import edges, flicker
from edgeseg.runtime import PipelineOptions, Segmenter
from edgeseg.runtime.accuracy.open import open_dataset
from edgeseg.runtime.drawing.effect import EDGES
from edgeseg.runtime.drawing.overlay import colour_table
from edgeseg.runtime.pictures.files import write_ids, write_picture
from edgeseg.runtime.sources.synthetic import LABELS, SyntheticSource


def test_edges_are_compared_with_the_truth(golden_model, tmp_path):
    source = SyntheticSource("160x120,still,seed=1,frames=3")
    for index, name in enumerate(source.names()):
        frame, ids = source.scene(index)
        write_picture(tmp_path / "JPEGImages" / f"{name}.jpg", frame)
        write_ids(tmp_path / "SegmentationClass" / f"{name}.png", ids, colour_table(()))
    (tmp_path / "val.txt").write_text("\n".join(source.names()))
    (tmp_path / "labels.txt").write_text("\n".join(LABELS))
    with Segmenter.open(golden_model) as segmenter:
        found = edges.measure(segmenter, open_dataset(tmp_path, "val"), 2)
    assert found["pictures"] == 2
    assert set(found["edges"]) == set(EDGES)
    assert all(
        row["iou"] > row["boundary_iou"] > 0.5 for row in found["edges"].values()
    )
    # drawn shapes have clear colours
    assert found["edges"]["guided"]["iou"] > found["edges"]["hard"]["iou"]
    assert set(found["ms_at_640x480"]) == {"invoke", *EDGES}


def test_a_frame_alone_agrees_with_itself(golden_model):
    frames = [SyntheticSource("64x48,seed=1").scene(i)[0] for i in range(3)]
    with Segmenter.open(golden_model) as segmenter:
        ids, beside_ms = flicker.segmented(segmenter, frames, PipelineOptions())
        for frame, found in zip(frames, ids, strict=True):
            np.testing.assert_array_equal(found, segmenter.segment(frame).ids)
    assert beside_ms > 0
