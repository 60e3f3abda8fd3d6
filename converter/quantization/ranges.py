"""What calibration found out about a float model, and its file.

`measure` runs the float model over the calibration pictures once. A saved result
makes the same int8 model again without the pictures: ranges of all activations, and
for each convolution scales, rounding and bias correction.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.histogram import Histogram
from edgeseg.converter.quantization.moments import InputMoments
from edgeseg.converter.quantization.observe import Observed
from edgeseg.converter.quantization.refine import (
    RoundedWeights,
    round_weights,
    weight_rows,
)
from edgeseg.converter.quantization.rounding import nearest_steps
from edgeseg.devices import ConversionError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

FORMAT_VERSION = 1
# One value in ten thousand may lie outside at each end: measured to keep more labels
# than the extremes, a moving average or 99.9 %
CENTRAL = 0.9999

# What a file that is no ranges file raises on the way
_MALFORMED = (ValueError, KeyError, TypeError, IndexError, AttributeError, zlib.error)

Range = tuple[float, float]


@dataclass(frozen=True)
class Ranges:
    """The result of a calibration.

    Parameters
    ----------
    graph : str
        Fingerprint of the float graph that it belongs to; see `fingerprint`.
    extremes, central : mapping of str to (float, float)
        By tensor name: smallest and largest value; the same without the outermost
        ten-thousandth at each end.
    rounded : mapping of int to RoundedWeights
        By the operator's place.
    calibration : mapping of str to JSON value
        Manifest of the pictures.
    """

    graph: str
    extremes: Mapping[str, Range]
    central: Mapping[str, Range]
    rounded: Mapping[int, RoundedWeights]
    calibration: Mapping[str, Any] = field(default_factory=dict)


def measure(
    content: bytes,
    tensors: Iterable[NDArray[Any]],
    *,
    calibration: Mapping[str, Any] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Ranges:
    """Run a float model over calibration tensors and learn what int8 needs to know.

    Parameters
    ----------
    content : bytes
        Float TFLite model.
    tensors : iterable of ndarray
        Input tensors, each used once.
    calibration : mapping or None
        Manifest of the pictures, kept with the result.
    progress : callable or None
        Called with the number of tensors done.

    Raises
    ------
    ConversionError
        An activation is not finite.
    """
    observed = Observed(content)
    flat = observed.flat
    histograms = {
        index: Histogram()
        for index in observed.activations
        if flat.dtype(index) == "float32"
    }
    moments = InputMoments(flat)
    for done, tensor in enumerate(tensors, 1):
        observed.run(tensor)
        for index, histogram in histograms.items():
            values = observed.read(index)
            _check_finite(flat, index, values)
            histogram.add(values)
        moments.add(observed)
        if progress is not None:
            progress(done)
    rounded = {}
    for place in list(moments.moments):
        seen = moments.moments.pop(place)  # the largest need hundreds of megabytes
        rounded[place] = round_weights(flat, flat.graph.operators[place], seen)
    return Ranges(
        graph=fingerprint(flat),
        extremes={flat.name(i): (h.low, h.high) for i, h in histograms.items()},
        central={flat.name(i): h.central(CENTRAL) for i, h in histograms.items()},
        rounded=rounded,
        calibration=dict(calibration or {}),
    )


def fingerprint(flat: FlatModel) -> str:
    """Return a SHA-256 over operators, tensor names, shapes and constant values."""
    digest = hashlib.sha256()
    for operator in flat.graph.operators:
        digest.update(flat.kind(operator).encode())
        for index in (*operator.inputs, *operator.outputs):
            digest.update(f"{flat.name(index)} {flat.shape(index)}".encode())
            values = flat.constant(int(index))
            if values is not None:
                digest.update(values.tobytes())
    return digest.hexdigest()


def save_ranges(ranges: Ranges, flat: FlatModel) -> bytes:
    """Return ranges as the content of a JSON file.

    Parameters
    ----------
    ranges : Ranges
        From `measure`.
    flat : FlatModel
        The float model: rounding is stored as the difference to nearest steps.
    """
    operators = flat.graph.operators
    stored = {
        "version": FORMAT_VERSION,
        "graph": ranges.graph,
        "extremes": ranges.extremes,
        "central": ranges.central,
        "weights": {
            str(place): _pack(weights, weight_rows(flat, operators[place]))
            for place, weights in ranges.rounded.items()
        },
        "calibration": ranges.calibration,
    }
    return (json.dumps(stored, indent=1, sort_keys=True) + "\n").encode()


def load_ranges(path: Path, flat: FlatModel) -> Ranges:
    """Return the ranges in a file.

    Parameters
    ----------
    path : Path
        From `save_ranges`.
    flat : FlatModel
        The float model that they must belong to.

    Raises
    ------
    InputError
        Unreadable, no ranges, or those of another model.
    """
    try:
        stored = json.loads(path.read_text("utf-8"))
        if stored["version"] != FORMAT_VERSION:
            raise ValueError(f"version {stored['version']!r}, not {FORMAT_VERSION}")
        if stored["graph"] != fingerprint(flat):
            raise InputError(
                f"{path} holds the ranges of another model (or of other options or "
                "package versions): calibrate again with a folder of photos"
            )
        operators = flat.graph.operators
        return Ranges(
            graph=stored["graph"],
            extremes=_bounds(stored["extremes"]),
            central=_bounds(stored["central"]),
            rounded={
                int(place): _unpack(packed, weight_rows(flat, operators[int(place)]))
                for place, packed in stored["weights"].items()
            },
            calibration=dict(stored["calibration"]),
        )
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"cannot read ranges {path}: {error.strerror}") from error
    except _MALFORMED as error:
        raise InputError(
            f"{path} holds no calibration ranges (expected a file written with "
            f"--save-ranges): {type(error).__name__}: {error}"
        ) from error


def _pack(weights: RoundedWeights, rows: NDArray[Any]) -> dict[str, str]:
    import numpy as np

    moved = weights.steps - nearest_steps(rows, weights.scales)
    return {
        "scales": _text(weights.scales),
        "correction": _text(weights.correction),
        "moved": _text(moved.astype(np.int8)),
    }


def _unpack(packed: dict[str, str], rows: NDArray[Any]) -> RoundedWeights:
    import numpy as np

    scales, correction = (
        _array(packed[key], np.float32, (len(rows),))
        for key in ("scales", "correction")
    )
    moved = _array(packed["moved"], np.int8, rows.shape)
    steps = nearest_steps(rows, scales) + moved
    return RoundedWeights(scales, steps.astype(np.int8), correction)


def _text(values: NDArray[Any]) -> str:
    return base64.b64encode(zlib.compress(values.tobytes(), 9)).decode()


def _array(text: str, dtype: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    import numpy as np

    raw = zlib.decompress(base64.b64decode(text, validate=True))
    return np.frombuffer(raw, dtype).reshape(shape)


def _bounds(stored: dict[str, Any]) -> dict[str, Range]:
    return {name: (float(low), float(high)) for name, (low, high) in stored.items()}


def _check_finite(flat: FlatModel, index: int, values: NDArray[Any]) -> None:
    import numpy as np

    if not np.isfinite(values).all():
        raise ConversionError(
            f"the float model gives values that are not finite in {flat.name(index)} "
            "on a calibration picture: its weights or --normalize are wrong"
        )
