"""The TFLite interpreter, used as its own example for segmentation uses it."""

from __future__ import annotations

import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .plain import labels_of, letterbox, stages

if TYPE_CHECKING:
    from .plain import Array, Frame, Loop, Settings, Times


def open_loop(settings: Settings) -> Loop:
    """Open a model; ``module`` is the package that holds the interpreter."""
    interpreter_module = import_module(settings["module"] + ".interpreter")
    interpreter = interpreter_module.Interpreter(
        model_path=settings["model"], num_threads=settings["threads"]
    )
    interpreter.allocate_tensors()
    return TFLiteLoop(interpreter)


class TFLiteLoop:
    """Float picture, quantized where the input asks for it; dequantized scores."""

    def __init__(self, interpreter: Any) -> None:
        self.interpreter = interpreter
        self.input = interpreter.get_input_details()[0]
        self.output = interpreter.get_output_details()[0]

    def __call__(self, frame: Frame) -> tuple[Array, Times]:
        """Return class ids of a picture ``(H, W, 3)`` uint8 RGB, and the times."""
        start = time.perf_counter()
        real, inside = letterbox(frame, tuple(self.input["shape"][1:3]))
        tensor = self._quantized(real)
        prepared = time.perf_counter()
        self.interpreter.set_tensor(self.input["index"], tensor)
        self.interpreter.invoke()
        output = self.interpreter.get_tensor(self.output["index"])[0]
        invoked = time.perf_counter()
        ids = labels_of(self._real(output), inside, frame.shape[:2])
        return ids, stages(start, prepared, invoked, time.perf_counter())

    def _quantized(self, real: Array) -> Array:
        import numpy as np

        scale, zero_point = self.input["quantization"]
        if not scale:
            return real
        limits = np.iinfo(self.input["dtype"])
        stored: Array = np.clip(
            np.rint(real / scale + zero_point), limits.min, limits.max
        )
        tensor: Array = stored.astype(self.input["dtype"])
        return tensor

    def _real(self, stored: Array) -> Array:
        import numpy as np

        scale, zero_point = self.output["quantization"]
        if not scale:
            return stored
        real: Array = (stored.astype(np.float32) - zero_point) * np.float32(scale)
        return real
