"""The networks that the peers start from, made once in the cache."""

from __future__ import annotations

import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter import convert
from edgeseg.devices import InputError
from edgeseg.runtime import Overrides, Segmenter
from edgeseg.runtime.pictures.atomic import replacing
from edgeseg.runtime.pictures.files import read_picture

if TYPE_CHECKING:
    from collections.abc import Callable

_KERAS = "models/keras/deeplabv3_mobilenetv2_voc_os16_513_release.h5"
_PHOTOS = "data/voc-animals/calibration/JPEGImages"
_VOC = "pascal-voc"
# Networks that are used as they were published
_PUBLISHED = {
    "float-257": "models/tflite/tflite-support/deeplabv3_tflite_support.tflite",
    "google-uint8": "models/tflite/google-coral/deeplabv3_mnv2_pascal_quant.tflite",
    "google-a0.5-uint8": (
        "models/tflite/google-coral/deeplabv3_mnv2_dm05_pascal_quant.tflite"
    ),
    "mlperf-int8": "models/tflite/mlperf/deeplabv3_mnv2_ade20k_int8.tflite",
}
_REQUANTIZED = {
    "requantized": "google-uint8",
    "requantized-a0.5": "google-a0.5-uint8",
}
_CALIBRATION_PICTURES = 64  # one float picture of 513x513 is 3.2 MB


def make_model(name: str, shared: Path, cache: Path) -> Path:
    """Return a network's file or folder, made unless the cache has it.

    Parameters
    ----------
    name : str
        ``int8-513``, ``float-513`` and ``saved-513`` are DeepLabv3 MobileNetV2 of
        width 1.0 as our int8 file, as a float TFLite file and as a SavedModel;
        ``float-257`` (width 0.5), ``google-uint8`` and ``google-a0.5-uint8`` (width
        1.0 and 0.5, 513, trained for uint8, class ids out) and ``mlperf-int8`` (with
        decoder, 512, 32 classes of ADE20K, class ids out) are files as they were
        published; ``requantized`` and ``requantized-a0.5`` are what `convert` makes of
        Google's.
    shared : Path
        Folder with ``models`` and ``data``.
    cache : Path
        Emptied by hand when the converter has changed.

    Raises
    ------
    InputError
        There is no such network.
    ConversionError
        It cannot be converted.
    """
    if name in _PUBLISHED:
        return shared / _PUBLISHED[name]
    makers: dict[str, tuple[str, Callable[[Path, Path], None]]] = {
        "int8-513": ("int8-513.tflite", _convert_int8),
        "float-513": ("float-513.tflite", _convert_float),
        "saved-513": ("saved-513", _export),
        **{
            new: (f"{new}.tflite", partial(_requantize, old))
            for new, old in _REQUANTIZED.items()
        },
    }
    if name not in makers:
        known = ", ".join([*makers, *_PUBLISHED])
        raise InputError(f"unknown network {name!r}; known: {known}")
    file, make = makers[name]
    target = cache / "models" / file
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        print(f"making {name}", file=sys.stderr)
        make(shared, target)
    return target


def label_set(name: str) -> str | None:
    """Return the label set of a network; None where it is not PASCAL VOC's."""
    return None if name.startswith("mlperf") else _VOC


def make_calibration(shared: Path, cache: Path) -> Path:
    """Return a ``.npy`` of photos ``(N, 513, 513, 3)`` float32 as float-513 sees them.

    Parameters are those of `make_model`; N is 64.
    """
    import numpy as np

    target = cache / "models" / "calibration.npy"
    if target.exists():
        return target
    model = make_model("float-513", shared, cache)
    photos = sorted((shared / _PHOTOS).iterdir())[:_CALIBRATION_PICTURES]
    with Segmenter.open(model) as segmenter:
        seen = [segmenter.tensor(read_picture(photo)) for photo in photos]
    with replacing(target) as temporary, temporary.open("wb") as file:
        np.save(file, np.concatenate(seen))
    return target


def _convert_int8(shared: Path, target: Path) -> None:
    convert(
        shared / _KERAS,
        calibration=shared / _PHOTOS,
        output=target,
        overrides=Overrides(labels=_VOC),
    )


def _requantize(old: str, shared: Path, target: Path) -> None:
    convert(
        shared / _PUBLISHED[old],
        calibration=shared / _PHOTOS,
        output=target,
        head="logits-stride",
        overrides=Overrides(labels=_VOC),
    )


def _convert_float(shared: Path, target: Path) -> None:
    convert(
        shared / _KERAS,
        output=target,
        overrides=Overrides(labels=_VOC),
        recipe="float32",
    )


def _export(shared: Path, target: Path) -> None:
    from edgeseg.converter.loading.load import load_model

    model = load_model(shared / _KERAS).model
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        model.export(str(Path(folder) / "model"), verbose=False)
        os.rename(Path(folder) / "model", target)
