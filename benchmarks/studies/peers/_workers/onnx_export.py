"""A float TFLite model to ONNX."""

from __future__ import annotations

from pathlib import Path

OPSET = 17


def make(source: Path, output: Path, calibration: Path) -> None:
    """Convert; no calibration is needed."""
    import tf2onnx

    tf2onnx.convert.from_tflite(str(source), opset=OPSET, output_path=str(output))
