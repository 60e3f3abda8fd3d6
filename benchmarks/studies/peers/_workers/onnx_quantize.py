"""A float ONNX model to int8, in the form with QuantizeLinear and DequantizeLinear."""

from __future__ import annotations

from pathlib import Path
from typing import Any

PICTURES = 32


def make(source: Path, output: Path, calibration: Path) -> None:
    """Quantize statically: weights by channel, activations by min and max."""
    import numpy as np
    import onnx
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = output.with_name("prepared.onnx")
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    name = onnx.load(str(source)).graph.input[0].name
    pictures = np.load(calibration, mmap_mode="r")[:PICTURES]

    class CalibrationReader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left = iter(pictures)

        def get_next(self) -> Any:
            picture = next(self.left, None)
            return None if picture is None else {name: picture[None]}

    quantize_static(
        str(prepared),
        str(output),
        CalibrationReader(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    prepared.unlink()
