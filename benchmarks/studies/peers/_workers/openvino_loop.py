"""OpenVINO on the CPU, with its hint for the latency of one picture."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .plain import labels_of, letterbox, letterboxed, scaled_ids, stages

if TYPE_CHECKING:
    from .plain import Array, Frame, Loop, Settings, Times


def open_loop(settings: Settings) -> Loop:
    """Open a model: float32 picture to scores, or uint8 pixels to class ids."""
    import openvino

    core = openvino.Core()
    compiled = core.compile_model(
        settings["model"],
        "CPU",
        {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": settings["threads"],
        },
    )
    request = compiled.create_infer_request()
    size_hw = tuple(compiled.input(0).shape[1:3])

    whole = compiled.input(0).element_type == openvino.Type.u8

    def loop(frame: Frame) -> tuple[Array, Times]:
        start = time.perf_counter()
        if whole:
            canvas, inside = letterboxed(frame, size_hw)
            tensor = canvas[None]
        else:
            tensor, inside = letterbox(frame, size_hw)
        prepared = time.perf_counter()
        scores = request.infer([tensor])[compiled.output(0)][0]
        invoked = time.perf_counter()
        read = scaled_ids if whole else labels_of
        ids = read(scores, inside, frame.shape[:2])
        return ids, stages(start, prepared, invoked, time.perf_counter())

    return loop
