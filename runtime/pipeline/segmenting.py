"""From a capture to its classes, by region and smoothing of the run's options."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.model.labels import background_ids
from edgeseg.runtime.pipeline.scene import Scene
from edgeseg.runtime.pipeline.smoothing import Smoother
from edgeseg.runtime.segmentation.previous_mask import PreviousMask

if TYPE_CHECKING:
    from edgeseg.devices.types import Array
    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.pipeline.motion import Motion, MotionFinder
    from edgeseg.runtime.pipeline.options import PipelineOptions
    from edgeseg.runtime.segmentation.segmenter import Segmentation, Segmenter
    from edgeseg.runtime.zones.watch import Watch

# the void of Cityscapes and PASCAL VOC, for models that know no background
_VOID = 255


class Inference:
    """Segments captures, or a region of them, each alone or smoothed over time.

    Parameters
    ----------
    segmenter : Segmenter
        Open; closed by whoever opened it.
    options : PipelineOptions
        Gives region, smoothing, and whether that follows motion.
    watch : Watch or None
        Follows things over the captures.
    still : bool
        The captures have no common time.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        options: PipelineOptions,
        watch: Watch | None = None,
        *,
        still: bool = False,
    ) -> None:
        self._segmenter = segmenter
        self._watch, self._still = watch, still
        self._region = options.region
        outside = background_ids(segmenter.manifest.labels)
        self._outside = outside[0] if outside else _VOID
        self._smoother = (
            Smoother(options.smoothing, segmenter.head) if options.smoothing else None
        )
        self._before = PreviousMask(segmenter) if segmenter.takes_mask else None
        self._finder = _motion_finder(segmenter) if options.follow_motion else None
        self._motion: Motion | None = None
        memories = (self._smoother, self._before, self._finder)
        self._memories = [m for m in memories if m is not None]
        self._scene = Scene() if self._memories else None
        self._steadied = self._remember if self._memories else None

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
            The frame has no pixel in the region, or a zone is not within the frame.
        ModelError
            The device failed.
        """
        segmentation = self._in_region(capture, last)
        if self._watch is None:
            return segmentation
        return self._watch.attach(capture, segmentation, still=self._still)

    def _in_region(self, capture: Capture, last: bool) -> Segmentation:
        import numpy as np

        frame = capture.frame
        if self._region is None:
            return self._segment(capture, last)
        if capture.output is not None:
            raise InputError(
                "a region cannot be segmented alone: the camera's own network has "
                "answered to the whole frame"
            )
        part = self._region.within((frame.shape[0], frame.shape[1]))
        inside = dataclasses.replace(capture, frame=np.ascontiguousarray(frame[part]))
        segmentation = self._segment(inside, last)
        ids = np.full(frame.shape[:2], self._outside, np.uint8)
        ids[part] = segmentation.ids
        return dataclasses.replace(segmentation, ids=ids)

    def _segment(self, capture: Capture, last: bool) -> Segmentation:
        frame = capture.frame
        if self._scene is not None and not self._scene.goes_on(frame, capture.time_s):
            for memory in self._memories:
                memory.reset()
        if self._finder is not None:
            self._motion = self._finder.find(frame)
        mask = None if self._before is None else self._before.mask
        return self._segmenter.segment(
            frame,
            steadied=self._steadied,
            mask=mask,
            answer=capture.output,
            last=last,
        )

    def _remember(self, output: Array) -> Array:
        """Pass an output by all that look at it."""
        if self._before is not None:
            self._before.keep(output)
        if self._smoother is None:
            return output
        return self._smoother.smooth(output, self._motion)


def _motion_finder(segmenter: Segmenter) -> MotionFinder:
    # few runs need it
    from edgeseg.runtime.pipeline.motion import MotionFinder

    manifest = segmenter.manifest
    return MotionFinder(segmenter.input_hw, segmenter.head.grid_hw, manifest.fit)
