"""What the worker reads: the network, the chip, and pictures for its simulator."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.compilation.pixels import pixel_manifest, pixels_of
from edgeseg.devices import ConversionError
from edgeseg.runtime import Segmenter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Array

_DEVICE = "desktop:onnx"
MADE_BY = "edgeseg convert MODEL --recipe int8 --for onnxruntime -o model.onnx"


@dataclass(frozen=True)
class Job:
    """A job that was written into a folder.

    Parameters
    ----------
    answers : ndarray
        ``(N, h, w, C)`` float32, of the ``.onnx`` file to the same pictures.
    manifest : str
        Of the compiled network, in JSON.
    """

    answers: Array
    manifest: str


def write_job(source: Path, target: str, frames: Sequence[NDArray[np.uint8]]) -> Job:
    """Write ``network.onnx``, ``job.json`` and ``pictures.npy`` beside a network.

    Parameters
    ----------
    source : Path
        An ``.onnx`` file, channels last.
    target : str
        Such as ``"rk3588"``.
    frames : sequence of ndarray
        Pictures ``(H, W, 3)`` uint8 RGB for the simulator.

    Raises
    ------
    ConversionError
        It takes no pictures of three colours.
    """
    import numpy as np

    with Segmenter.open(source, device=_DEVICE) as segmenter:
        manifest = segmenter.manifest
        tensors = [segmenter.tensor(frame) for frame in frames]
        if tensors[0].ndim != 4 or tensors[0].shape[3] != 3:
            raise ConversionError(
                f"it takes {list(tensors[0].shape)}, expected three colours, (1, H, W, "
                "3)"
            )
        answers = [segmenter.infer(tensor) for tensor in tensors]
    folder = source.parent
    shutil.copy(source, folder / "network.onnx")
    np.save(
        folder / "pictures.npy",
        np.concatenate([pixels_of(tensor, manifest) for tensor in tensors]),
    )
    values = {
        "target": target,
        "mean": [float(value) for value in manifest.mean],
        "std": [float(value) for value in manifest.std],
    }
    (folder / "job.json").write_text(json.dumps(values), "utf-8")
    return Job(np.concatenate(answers), pixel_manifest(manifest).to_json())
