"""From a capture to its classes, by region and smoothing of the run's options."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from edgeseg.runtime.model.labels import background_ids
from edgeseg.runtime.pipeline.smoothing import Smoother

if TYPE_CHECKING:
    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.pipeline.options import PipelineOptions
    from edgeseg.runtime.segmentation.segmenter import Segmentation, Segmenter

# the void of Cityscapes and PASCAL VOC, for models that know no background
_VOID = 255


class Inference:
    """Segments captures, or a region of them, each alone or smoothed over time.

    Parameters
    ----------
    segmenter : Segmenter
        Open; closed by whoever opened it.
    options : PipelineOptions
        Gives region and smoothing.
    """

    def __init__(self, segmenter: Segmenter, options: PipelineOptions) -> None:
        self._segmenter = segmenter
        self._region = options.region
        outside = background_ids(segmenter.manifest.labels)
        self._outside = outside[0] if outside else _VOID
        self._smoother = (
            Smoother(options.smoothing, segmenter.head) if options.smoothing else None
        )

    def segment(self, capture: Capture, *, last: bool = False) -> Segmentation:
        """Return the classes of a capture, at its frame's own size.

        Parameters
        ----------
        capture : Capture
            What a source gave.
        last : bool
            Nothing more will be segmented; see `Segmenter.segment`.

        Raises
        ------
        InputError
            The frame has no pixel in the region.
        ModelError
            The device failed.
        """
        import numpy as np

        frame = capture.frame
        if self._region is None:
            return self._segment(capture, last)
        part = self._region.within((frame.shape[0], frame.shape[1]))
        inside = dataclasses.replace(capture, frame=np.ascontiguousarray(frame[part]))
        segmentation = self._segment(inside, last)
        ids = np.full(frame.shape[:2], self._outside, np.uint8)
        ids[part] = segmentation.ids
        return dataclasses.replace(segmentation, ids=ids)

    def _segment(self, capture: Capture, last: bool) -> Segmentation:
        if self._smoother is None:
            return self._segmenter.segment(capture.frame, last=last)
        self._smoother.look_at(capture.frame, capture.time_s)
        return self._segmenter.segment(
            capture.frame, steadied=self._smoother.smooth, last=last
        )
