"""One row of the study: a network is built, settled on photos, and converted.

``python -m edgeseg.benchmarks.studies.architectures.row NAME PHOTOS`` prints the row.
Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.benchmarks.studies.architectures import (
    encoders_decoders,
    hub,
    pyramids,
)
from edgeseg.converter import convert
from edgeseg.converter.conversion.float_model import lower
from edgeseg.converter.conversion.keras_device import segmenter_of
from edgeseg.converter.conversion.preprocessing import prepare_input
from edgeseg.converter.frameworks import need, third_party
from edgeseg.converter.loading.format import Loading
from edgeseg.converter.loading.load import load_model
from edgeseg.converter.quantization.heads import apply_head
from edgeseg.converter.quantization.nearest import join_repeats
from edgeseg.converter.quantization.quantize import Quantization
from edgeseg.converter.quantization.ranges import measure
from edgeseg.converter.recipes import load_recipe
from edgeseg.devices import ConversionError, EdgesegError
from edgeseg.devices.placement import check_model
from edgeseg.runtime import Overrides
from edgeseg.runtime.pictures.files import SUFFIXES, read_picture

if TYPE_CHECKING:
    from edgeseg.converter.frameworks import KerasLayer, KerasModel
    from edgeseg.devices.types import Array, Json

NETWORKS = {
    build.__name__: build
    for build in (*encoders_decoders.NETWORKS, *pyramids.NETWORKS, *hub.NETWORKS)
}
_OWN_FILE = Loading(trust=True)  # keras-hub's files hold classes of its own
_SEED, _SETTLING = 16, 24  # photos that settle the batch norms
_SPREAD = 4.0  # of the scores: as trained networks have it


def run_row(name: str, photos: Path) -> Json:
    """Return the figures of a network.

    Parameters
    ----------
    name : str
        Key of `NETWORKS`.
    photos : Path
        Folder of at least 32 photos.
    """
    need("keras").utils.set_random_seed(_SEED)
    with third_party():
        model = NETWORKS[name]()
    row: Json = {"parameters": model.count_params()}
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        tensors = _settle(model, photos, folder)
        model.save(folder / "net.keras")
        try:
            result = convert(
                folder / "net.keras",
                calibration=photos,
                output=folder / "net.tflite",
                loading=_OWN_FILE,
            )
        except EdgesegError as error:
            return {**row, "error": str(error).replace(text, "")}
        row |= {
            "preprocessing": result.details["preprocessing"],
            "parity": result.float_parity.agreement,
            "agreement": result.int8_parity.agreement,
            "seconds": round(result.seconds, 1),
            "peak_bytes": result.peak_bytes,
            "bytes": result.bytes_out,
            "notes": result.details["notes"],
        }
        row["coral"] = _placements(folder, tensors)
    return row


def _settle(model: KerasModel, photos: Path, folder: Path) -> list[Array]:
    """Give batch norms the statistics of photos, and scores a usual spread.

    Returns two input tensors.
    """
    import cv2
    import numpy as np

    keras = need("keras")
    model.save(folder / "fresh.keras")
    with segmenter_of(load_model(folder / "fresh.keras", _OWN_FILE)) as segmenter:
        manifest = segmenter.manifest
    height, width = model.inputs[0].shape[1:3]
    found = sorted(p for p in photos.iterdir() if p.suffix.lower() in SUFFIXES)
    pixels = np.stack(
        [
            cv2.resize(read_picture(path), (width, height))
            for path in found[:: max(len(found) // _SETTLING, 1)][:_SETTLING]
        ]
    ).astype(np.float32)
    mean, std = (np.array(v, np.float32) for v in (manifest.mean, manifest.std))
    batch = (pixels - mean) / std
    at_once = model.inputs[0].shape[0] or 4
    norms = [x for x in _all_layers(model) if type(x).__name__ == "BatchNormalization"]
    with third_party():
        for norm in norms:
            norm.momentum = 0.7
        for place in range(0, len(batch), at_once):
            model(batch[place : place + at_once], training=True)
        for norm in norms:
            norm.momentum = 0.99
        last = next(x for x in reversed(model.layers) if x.weights)
        before = keras.Model(model.inputs, last.output)
        spread = float(before.predict_on_batch(batch[:1]).std())
        if spread > 0 and getattr(last, "activation", None) is keras.activations.linear:
            last.set_weights([w * _SPREAD / spread for w in last.get_weights()])
    return [batch[:1], batch[1:2]]


def _all_layers(model: KerasModel) -> list[KerasLayer]:
    """Return the layers of a network, and those inside of layers."""
    found: list[KerasLayer] = list(model._flatten_layers(include_self=False))
    return found


def _placements(folder: Path, tensors: list[Array]) -> Json:
    """Return what a Coral takes: as TensorFlow lowers it, and as convert does."""
    loaded = load_model(folder / "net.keras", _OWN_FILE)
    with segmenter_of(loaded) as keras:
        prepared = prepare_input(loaded.model, keras.manifest, Overrides())
        plain = lower(loaded.model)
        content = join_repeats(lower(prepared.model))
    placed = {"before": _share(folder, plain, tensors)}
    placed["after"] = _share(folder, content, tensors)
    try:
        cut = apply_head(content, "logits-stride").content
    except ConversionError:
        return placed
    placed["logits_stride"] = _share(folder, cut, tensors)
    return placed


def _share(folder: Path, content: bytes, tensors: list[Array]) -> Json:
    recipe, ranges = load_recipe("int8"), measure(content, tensors)
    path = folder / "placed.tflite"
    path.write_bytes(Quantization(content, recipe, ranges).make())
    placement = check_model(path, "coral")
    return {
        "operators": len(placement.operators),
        "on_cpu": len(placement.on_cpu),
        "cpu_macs_share": round(placement.cpu_macs_share, 4),
        "pieces": placement.partitions,
    }


if __name__ == "__main__":
    print(json.dumps(run_row(sys.argv[1], Path(sys.argv[2]))))
