"""What Hailo's Dataflow Compiler takes beside a float ONNX file, and the file its way.

Of ``-o model.onnx`` three more files are written: ``model.alls``, the model script;
``model.calibration.npy``, pixels ``(N, H, W, 3)`` uint8 for its quantizer; and
``model.hef.json``, the manifest that belongs beside the ``model.hef`` it makes. The
compiler itself is to be had from Hailo alone and was not run on them.

References
----------
Hailo, "Dataflow Compiler User Guide": translating ONNX models (channels first), model
scripts (``normalization(mean, std)`` puts normalization on the chip), and calibration
sets (``.npy``, channels last, as they are before that normalization).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.calibration.calibrate import CalibrationTensors
from edgeseg.converter.compilation.pixels import pixel_manifest, pixels_of
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.devices import ConversionError
from edgeseg.devices.onnx import OnnxDevice

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.runtime import Manifest, Segmenter

_PROVIDER = "CPUExecutionProvider"
_LARGEST_DIFFERENCE = 1e-4  # of the largest score: the same sums in another layout


def write_hailo_files(
    segmenter: Segmenter, photos: tuple[Path, ...], folder: Path
) -> None:
    """Leave the further files in a folder.

    Parameters
    ----------
    segmenter : Segmenter
        Opened on the float model.
    photos : tuple of Path
        To calibrate with.
    folder : Path
        Gets the files.

    Raises
    ------
    ConversionError
        The network takes no pictures of three colours.
    """
    import numpy as np

    manifest = segmenter.manifest
    tensors = list(CalibrationTensors(segmenter, photos))
    if tensors[0].ndim != 4 or tensors[0].shape[3] != 3:
        raise ConversionError(
            f"--for hailo: the network takes {list(tensors[0].shape)}, expected three "
            "colours, (1, H, W, 3)"
        )
    pixels = [pixels_of(tensor, manifest) for tensor in tensors]
    np.save(folder / "result.calibration.npy", np.concatenate(pixels))
    (folder / "result.alls").write_text(script_of(manifest, len(pixels)), "utf-8")
    beside = pixel_manifest(manifest).to_json()
    (folder / "result.hef.json").write_text(beside, "utf-8")


def script_of(manifest: Manifest, pictures: int) -> str:
    """Return the model script.

    Parameters
    ----------
    manifest : Manifest
        Has mean and deviation of each colour, in the network's own order.
    pictures : int
        In the calibration set.
    """
    mean, std = (
        ", ".join(str(float(value)) for value in values)
        for values in (manifest.mean, manifest.std)
    )
    return (
        f"normalization1 = normalization([{mean}], [{std}])\n"
        "model_optimization_config(calibration, batch_size=1, "
        f"calibset_size={pictures})\n"
    )


def check_layouts(last: Path, first: Path, segmenter: Segmenter, photo: Path) -> None:
    """Raise unless both layouts of a network answer the same.

    Parameters
    ----------
    last, first : Path
        The ``.onnx`` file with channels last, which was compared with Keras, and that
        with channels first.
    segmenter : Segmenter
        Makes the tensor.
    photo : Path
        To compare on.

    Raises
    ------
    ConversionError
        They differ.
    """
    import numpy as np

    (tensor,) = CalibrationTensors(segmenter, (photo,))
    with _opened(last) as one, _opened(first) as other:
        (expected,) = one.infer(tensor)
        (found,) = other.infer(np.ascontiguousarray(tensor.transpose(0, 3, 1, 2)))
    found = found.transpose(0, 2, 3, 1)
    limit = _LARGEST_DIFFERENCE * float(np.abs(expected).max())
    if found.shape != expected.shape or not np.abs(found - expected).max() <= limit:
        raise ConversionError(
            "the network with channels first does not answer like the one with "
            "channels last"
        )


def _opened(path: Path) -> OnnxDevice:
    return OnnxDevice(path, name="desktop:onnx", provider=_PROVIDER)


def channels_first_ends(content: bytes) -> dict[str, list[str]]:
    """Return tf2onnx's options that make both ends of a TFLite model NCHW."""
    flat = FlatModel(content)
    inputs, outputs = (
        [flat.name(int(index)) for index in ends]
        for ends in (flat.graph.inputs, flat.graph.outputs)
    )
    return {"inputs_as_nchw": inputs, "outputs_as_nchw": outputs}
