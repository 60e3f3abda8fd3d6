"""OpenVINO on the CPU, one float32 tensor from standard input to standard output."""

from __future__ import annotations

import struct
import sys
import time


def serve(model: str, threads: int) -> None:
    """Answer each tensor with the milliseconds that it took, then the scores."""
    import numpy as np
    import openvino

    compiled = openvino.Core().compile_model(
        model,
        "CPU",
        {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads},
    )
    request = compiled.create_infer_request()
    shape = tuple(compiled.input(0).shape)
    length = 4 * int(np.prod(shape))
    while len(data := sys.stdin.buffer.read(length)) == length:
        tensor = np.frombuffer(data, np.float32).reshape(shape)
        start = time.perf_counter()
        scores = request.infer([tensor])[compiled.output(0)]
        spent_ms = 1000 * (time.perf_counter() - start)
        sys.stdout.buffer.write(struct.pack("<d", spent_ms))
        sys.stdout.buffer.write(np.ascontiguousarray(scores, np.float32).tobytes())
        sys.stdout.buffer.flush()
