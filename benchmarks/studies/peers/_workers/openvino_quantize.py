"""A float TFLite model to OpenVINO's int8, by NNCF after training."""

from __future__ import annotations

from pathlib import Path


def make(source: Path, output: Path, calibration: Path) -> None:
    """Quantize with NNCF's defaults on all calibration pictures."""
    import nncf
    import numpy as np
    import openvino

    pictures = np.load(calibration, mmap_mode="r")
    model = openvino.Core().read_model(source)
    dataset = nncf.Dataset([np.array(picture[None]) for picture in pictures])
    quantized = nncf.quantize(model, dataset, subset_size=len(pictures))
    openvino.save_model(quantized, output)
