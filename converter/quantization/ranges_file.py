"""Ranges as a file: the same int8 model again, without the calibration pictures.

A file holds the final int8 steps of each weight, so that what it makes does not hang
on the last bit of a float weight; operators are counted, not named, so that it does
not hang on names. It fits a model of the same weights and options whose graph has the
same operators and shapes. Package versions and processor are a note.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from edgeseg.converter.quantization.origin import Origin, structure_digest
from edgeseg.converter.quantization.packing import (
    array_of,
    scales_and_correction,
    text_of,
)
from edgeseg.converter.quantization.ranges import Ranges
from edgeseg.converter.quantization.ranges_version_1 import read_version_1
from edgeseg.converter.quantization.refine import IntegerWeights, rows_at
from edgeseg.converter.quantization.rounding import clipped_scales
from edgeseg.devices import InputError, RangesError
from edgeseg.devices.plain_text import reason_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from edgeseg.converter.quantization.flatbuffer import FlatModel
    from edgeseg.converter.quantization.ranges import Range
    from edgeseg.devices.types import Json

FORMAT_VERSION = 2
# Last-bit changes of weights move a channel's scale by 4e-7 of itself, and weights and
# norms kept as float16 by up to 1e-3; weights of another training move it by percents
_SCALE_TOLERANCE = 2e-3
# Options that matter only where they change operators or shapes: scores and class ids
# may come out of the same graph
_SHOWN_BY_THE_GRAPH = frozenset({"--head", "--pooling"})
_SCORES = ("logits", "logits-stride")
_SMALLEST_SCALE = 1e-9  # of a channel of zeros, whose scale is arbitrary
# What a file that is no ranges file raises on the way
_MALFORMED = (ValueError, KeyError, TypeError, IndexError, AttributeError, zlib.error)
_AGAIN = "calibrate again with a folder of photos"


def save_ranges(ranges: Ranges, flat: FlatModel) -> bytes:
    """Return ranges as the content of a JSON file.

    Parameters
    ----------
    ranges : Ranges
        From `measure` or a `SavedRanges`.
    flat : FlatModel
        The float model that they belong to.
    """
    stored = {
        "version": FORMAT_VERSION,
        "weights_sha256": ranges.origin.weights,
        "options": ranges.origin.options,
        "structure_sha256": structure_digest(flat),
        "made_with": ranges.origin.made_with,
        "activations": {
            key: {"extremes": ranges.extremes[name], "central": ranges.central[name]}
            for key, name in _activations(flat)
            if name in ranges.central
        },
        "weights": {
            str(place): {
                "scales": text_of(weights.scales),
                "steps": text_of(weights.steps),
                "correction": text_of(weights.correction),
            }
            for place, weights in ranges.rounded.items()
        },
        "calibration": ranges.calibration,
    }
    return (json.dumps(stored, indent=1, sort_keys=True) + "\n").encode()


@dataclass(frozen=True)
class SavedRanges:
    """A file that `save_ranges` wrote, of this version or version 1; parsed once.

    Parameters
    ----------
    path : Path
        Of the file, which is read when something of it is wanted.
    """

    path: Path

    @property
    def version(self) -> int:
        """The format version of the file.

        Raises
        ------
        InputError
            Unreadable, or no ranges.
        """
        try:
            return int(self._stored["version"])
        except _MALFORMED as error:
            raise _no_ranges(self.path, error) from error

    def head(self, wanted: str) -> str:
        """Return the head of the model that was measured, where any will do.

        Parameters
        ----------
        wanted : str
            What was asked for; other than ``auto`` it stays.
        """
        if wanted != "auto" or self.version == 1:
            return wanted
        options = self._stored.get("options")
        known = options.get("--head") if isinstance(options, dict) else None
        return str(known) if known in _SCORES else wanted

    def ranges(self, flat: FlatModel, origin: Origin) -> Ranges:
        """Return the ranges, once they are known to fit a model.

        Parameters
        ----------
        flat : FlatModel
            The float model that they must belong to.
        origin : Origin
            Its weights and options.

        Raises
        ------
        RangesError
            They belong to another model, to other options, or to another graph of the
            same model.
        InputError
            Unreadable, or no ranges.
        """
        path, stored = self.path, self._stored
        try:
            version = stored["version"]
            if version == 1:
                return _version_1(path, stored, flat, origin)
            if version != FORMAT_VERSION:
                raise ValueError(f"version {version!r}, not {FORMAT_VERSION}")
            _check_origin(path, stored, flat, origin)
            ranges = _ranges(stored, flat)
            if not _have_scales_of(ranges, flat):
                raise _lowered_differently(path, ranges.origin.made_with, origin)
            return ranges
        except InputError:
            raise
        except _MALFORMED as error:
            raise _no_ranges(path, error) from error

    @cached_property
    def _stored(self) -> Json:
        try:
            stored: Json = json.loads(self.path.read_text("utf-8"))
        except OSError as error:
            raise InputError(
                f"cannot read ranges {self.path}: {reason_of(error)}"
            ) from error
        except (*_MALFORMED, RecursionError) as error:
            raise _no_ranges(self.path, error) from error
        return stored


def _version_1(path: Path, stored: Json, flat: FlatModel, origin: Origin) -> Ranges:
    """Read the older format, which knows names of tensors and no origin."""
    ranges = read_version_1(stored, flat, origin)
    if ranges is None or not _have_scales_of(ranges, flat):
        raise RangesError(
            f"{path} holds the ranges of another model, or of other options (it is of "
            f"version 1, which does not say which): {_AGAIN}"
        )
    return ranges


def _ranges(stored: Json, flat: FlatModel) -> Ranges:
    activations = stored["activations"]
    names = {key: name for key, name in _activations(flat) if key in activations}
    if len(names) != len(activations):
        raise ValueError("activations of operators that the model has not")
    return Ranges(
        origin=Origin(
            str(stored["weights_sha256"]),
            dict(stored["options"]),
            {key: str(value) for key, value in dict(stored["made_with"]).items()},
        ),
        extremes={names[k]: _bounds(v["extremes"]) for k, v in activations.items()},
        central={names[k]: _bounds(v["central"]) for k, v in activations.items()},
        rounded={
            int(place): _unpack(packed, flat, int(place))
            for place, packed in stored["weights"].items()
        },
        calibration=dict(stored["calibration"]),
    )


def _activations(flat: FlatModel) -> Iterator[tuple[str, str]]:
    """Yield a key and the tensor's name for the input and all that operators write."""
    for number, index in enumerate(flat.graph.inputs):
        yield f"input {number}", flat.name(int(index))
    for place, operator in enumerate(flat.graph.operators):
        for number, index in enumerate(operator.outputs):
            yield f"operator {place} output {number}", flat.name(int(index))


def _check_origin(path: Path, stored: Json, flat: FlatModel, origin: Origin) -> None:
    if stored["weights_sha256"] != origin.weights:
        raise RangesError(
            f"{path} holds the ranges of another model, of other weights: {_AGAIN}"
        )
    options = dict(stored["options"])
    differing = [
        key
        for key in sorted(options.keys() & origin.options.keys())
        # None: what the file itself says, which the graph is compared for
        if None not in (options[key], origin.options[key])
        and options[key] != origin.options[key]
    ]
    same_graph = stored["structure_sha256"] == structure_digest(flat)
    if differing and not (same_graph and _SHOWN_BY_THE_GRAPH.issuperset(differing)):
        named = "; ".join(
            f"{key} {options[key]} there, {origin.options[key]} here"
            for key in differing
        )
        raise RangesError(
            f"{path} holds the ranges of the same model with other options ({named}): "
            f"give the same options, or {_AGAIN}"
        )
    if not same_graph:
        raise _lowered_differently(path, dict(stored["made_with"]), origin)


def _have_scales_of(ranges: Ranges, flat: FlatModel) -> bool:
    """Return whether the weights in the graph are those that were rounded."""
    import numpy as np

    return all(
        np.allclose(
            weights.scales,
            clipped_scales(rows_at(flat, place)),
            rtol=_SCALE_TOLERANCE,
            atol=_SMALLEST_SCALE,
        )
        for place, weights in ranges.rounded.items()
    )


def _lowered_differently(
    path: Path, made_with: Mapping[str, str], origin: Origin
) -> RangesError:
    here = origin.made_with
    differing = [
        f"{key} {made_with[key]} there, {here.get(key)} here"
        for key in sorted(made_with)
        if made_with[key] != here.get(key)
    ]
    versions = f" ({'; '.join(differing)})" if differing else ""
    return RangesError(
        f"{path} holds the ranges of the same model, lowered to a different "
        f"graph{versions}: install those versions, or {_AGAIN}"
    )


def _no_ranges(path: Path, error: BaseException) -> InputError:
    return InputError(
        f"{path} holds no calibration ranges (expected a file written with "
        f"--save-ranges): {type(error).__name__}: {error}"
    )


def _unpack(packed: dict[str, str], flat: FlatModel, place: int) -> IntegerWeights:
    import numpy as np

    rows = rows_at(flat, place)
    scales, correction = scales_and_correction(packed, len(rows))
    steps = array_of(packed["steps"], np.int8, rows.shape)
    return IntegerWeights(scales, steps, correction)


def _bounds(stored: Iterable[float]) -> Range:
    low, high = map(float, stored)
    if not low <= high:
        raise ValueError(f"a range from {low} to {high}")
    return low, high
