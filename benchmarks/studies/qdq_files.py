"""The four files that the study of int8 ONNX compares, made of one float network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.conversion.calibrated import calibrated_ranges
from edgeseg.converter.conversion.float_model import make_float_model
from edgeseg.converter.conversion.onnx_export import to_onnx
from edgeseg.converter.conversion.packaging import Packaging
from edgeseg.converter.conversion.pictures import choose_pictures
from edgeseg.converter.conversion.request import Request
from edgeseg.converter.quantization.qdq import mark_steps
from edgeseg.converter.quantization.quantize import Quantization
from edgeseg.converter.recipes import load_recipe
from edgeseg.converter.shipped import find_keras, labels_of
from edgeseg.runtime import Overrides
from edgeseg.runtime.model.embedded import append_manifest, onnx_with_manifest

if TYPE_CHECKING:
    from collections.abc import Callable


def make_files(
    name: str,
    labels: str | None,
    calibration: Path,
    folder: Path,
    progress: Callable[[str], None],
) -> dict[str, Path]:
    """Make float and int8 TFLite and both forms of int8 ONNX.

    Parameters
    ----------
    name : str
        A Keras model's path, or the name of one that ships.
    labels : str or None
        Its label set, where the file has none.
    calibration : Path
        Photos, or a folder of saved ranges.
    folder : Path
        Gets the files.
    progress : callable
        Called with a line for each step.

    Returns
    -------
    dict of str to Path
        By what they are.
    """
    path = Path(find_keras(name))
    saved = calibration / f"{path.stem}.ranges.json"
    known = labels_of(path)
    request = Request(
        path,
        calibration=saved if saved.is_file() else calibration,
        overrides=Overrides(labels=labels or (None if known is None else str(known))),
    )
    pictures = choose_pictures(request)
    model = make_float_model(request, pictures, progress)
    with Packaging(model.manifest).open_float(model.content) as reference:
        ranges = calibrated_ranges(model, pictures, reference, progress)
    quantized = Quantization(model.content, load_recipe("int8"), ranges).make()
    contents = {
        "float32": append_manifest(model.content, model.manifest),
        "int8": append_manifest(quantized, model.manifest),
    }
    for form, symmetric in (("int8 symmetric", True), ("int8 zero points", False)):
        marked = mark_steps(model.content, ranges, symmetric=symmetric)
        made = to_onnx(marked.content, marked.weights, is_shared=not symmetric)
        contents[form] = onnx_with_manifest(made, model.manifest)
    files = {}
    for form, content in contents.items():
        suffix = ".onnx" if form.startswith("int8 ") else ".tflite"
        files[form] = folder / f"{form.replace(' ', '_')}{suffix}"
        files[form].write_bytes(content)
    return files
