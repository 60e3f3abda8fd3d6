"""What a request for Hailo's compiler may ask, and the files that it gets beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError

if TYPE_CHECKING:
    from pathlib import Path

# Files that the process that converts leaves beside the .onnx, and their suffixes
HAILO_FILES = {
    "result.alls": ".alls",
    "result.calibration.npy": ".calibration.npy",
    "result.hef.json": ".hef.json",
}


def check_hailo(format: str, recipe: str, head: str, calibration: Path | None) -> None:
    """Raise `InputError` where a request has no meaning for Hailo's compiler.

    Parameters
    ----------
    format, recipe, head : str
        Of the request.
    calibration : Path or None
        Of the request.
    """
    if format != "onnx" or recipe != "float32":
        raise InputError(
            "--for hailo: its compiler takes a float ONNX file, and quantizes it: "
            f"-o model.onnx without --recipe, got {format} with {recipe}"
        )
    if head not in ("auto", "logits-stride"):
        raise InputError(
            "--for hailo: the chip does not resize to the picture's size, it gives "
            f"scores at the network's grid: leave --head {head} out"
        )
    if calibration is None or calibration.is_file():
        raise InputError(
            "--for hailo needs --calibration with a folder of photos, which its "
            "compiler measures"
        )


def targets_for(output: Path) -> list[Path]:
    """Return where the further files go."""
    return [output.with_suffix(suffix) for suffix in HAILO_FILES.values()]
