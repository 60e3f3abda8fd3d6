"""MediaPipe's ImageSegmenter: it does its own resizing and normalizing inside."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .plain import Array, Frame, Loop, Settings, Times


def open_loop(settings: Settings) -> Loop:
    """Open a model that carries TFLite metadata."""
    import mediapipe
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.ImageSegmenterOptions(
        base_options=BaseOptions(model_asset_path=settings["model"]),
        running_mode=vision.RunningMode.IMAGE,
        output_category_mask=True,
        output_confidence_masks=False,
    )
    segmenter = vision.ImageSegmenter.create_from_options(options)

    def loop(frame: Frame) -> tuple[Array, Times]:
        start = time.perf_counter()
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=frame)
        prepared = time.perf_counter()
        mask = segmenter.segment(image).category_mask.numpy_view()
        end = time.perf_counter()
        spent = {
            "preprocess": 1000 * (prepared - start),
            "invoke": 1000 * (end - prepared),
            "postprocess": 0.0,
        }
        return mask.reshape(frame.shape[:2]).copy(), spent

    return loop
