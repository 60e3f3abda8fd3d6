"""ONNX Runtime on the CPU."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .plain import labels_of, letterbox, stages

if TYPE_CHECKING:
    from .plain import Array, Frame, Loop, Settings, Times


def open_loop(settings: Settings) -> Loop:
    """Open a model ``(1, H, W, 3)`` float32 to ``(1, H, W, C)`` float32."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings["threads"]
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        settings["model"], options, providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name
    size_hw = tuple(session.get_inputs()[0].shape[1:3])

    def loop(frame: Frame) -> tuple[Array, Times]:
        start = time.perf_counter()
        tensor, inside = letterbox(frame, size_hw)
        prepared = time.perf_counter()
        scores = session.run(None, {name: tensor})[0][0]
        invoked = time.perf_counter()
        ids = labels_of(scores, inside, frame.shape[:2])
        return ids, stages(start, prepared, invoked, time.perf_counter())

    return loop
