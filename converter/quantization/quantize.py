"""A float TFLite model to a quantized one, by recipe and measured ranges."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need, third_party
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.islands import fill_islands
from edgeseg.converter.quantization.kernels import tie_ranges
from edgeseg.converter.quantization.refine import apply_rounding
from edgeseg.devices import ConversionError
from edgeseg.devices.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from edgeseg.converter.quantization.ranges import Range, Ranges
    from edgeseg.converter.recipes import Recipe
    from edgeseg.devices.types import Json

# What TensorFlow Lite takes for a power of two, in octaves, and a way out of it
_NEAR_POWER, _WIDER = 2e-3, 1.01
_CANNOT = (ValueError, RuntimeError, KeyError, TypeError, NotImplementedError)


class Quantization:
    """Makes quantized models of one float model.

    Parameters
    ----------
    content : bytes
        Float TFLite model with one output of scores.
    recipe : Recipe
        What to make.
    ranges : Ranges or None
        From calibration; None where the recipe needs none.
    """

    def __init__(self, content: bytes, recipe: Recipe, ranges: Ranges | None) -> None:
        self.flat = FlatModel(content)
        self.recipe = recipe
        self._content = content
        self._ranges = ranges
        if recipe.needs_calibration and ranges is None:
            raise ConversionError(
                f"recipe {recipe.name!r} needs ranges: give --calibration a folder of "
                "photos, or a file that --save-ranges wrote"
            )

    def make(self, keep_float: Collection[int] = ()) -> bytes:
        """Return the quantized model.

        Parameters
        ----------
        keep_float : collection of int
            Places of operators that go on computing in float.

        Raises
        ------
        ConversionError
            The quantizer cannot do it.
        """
        if not self.recipe.rules:
            return self._content
        quantizer_module = need("ai_edge_quantizer.quantizer")
        chosen = self._chosen_ranges()
        rules = [*self.recipe.rules, *self._exceptions(keep_float)]
        try:
            with third_party():
                quantizer = quantizer_module.Quantizer(self._content, rules)
                made = bytes(quantizer.quantize(_statistics(chosen)).quantized_model)
        except _CANNOT as error:
            raise ConversionError(
                f"ai-edge-quantizer cannot quantize the model: {one_line(error, 300)}"
            ) from error
        if self.recipe.rounding and self._ranges is not None:
            made = apply_rounding(made, self.flat, self._ranges.rounded)
        if self.recipe.activations == ("int8",) and chosen is not None:
            made = fill_islands(made, self.flat, chosen, keep_float=keep_float)
        return made

    def _exceptions(self, keep_float: Collection[int]) -> list[Json]:
        """Return the rule that leaves operators in float, by their output's name."""
        names = [
            re.escape(self.flat.name(int(self.flat.graph.operators[place].outputs[0])))
            for place in sorted(keep_float)
        ]
        if not names:
            return []
        return [
            {
                "regex": f"^({'|'.join(names)});?$",
                "operation": "*",
                "algorithm_key": "no_quantize",
            }
        ]

    def _chosen_ranges(self) -> Mapping[str, Range] | None:
        """Return those ranges that the recipe uses."""
        if self._ranges is None or not self.recipe.needs_calibration:
            return None
        measured: Mapping[str, Range] = getattr(self._ranges, str(self.recipe.ranges))
        if self.recipe.activations == ("int16",):
            measured = _without_powers(self.flat, measured)
        return tie_ranges(self.flat, measured)


def _without_powers(
    flat: FlatModel, ranges: Mapping[str, Range]
) -> Mapping[str, Range]:
    """Return ranges in which no sum has a power of two for its scale.

    TensorFlow Lite adds int16 tensors with shifts where all three scales are such, and
    then refuses an input with larger steps than the sum. A range that is a little
    wider makes it multiply.
    """
    sums = {
        flat.name(int(operator.outputs[0]))
        for operator in flat.graph.operators
        if flat.kind(operator) in ("ADD", "SUB")
    }
    return {
        name: (_WIDER * low, _WIDER * high)
        if name in sums and _is_power(max(abs(low), abs(high)))
        else (low, high)
        for name, (low, high) in ranges.items()
    }


def _is_power(value: float) -> bool:
    octaves = math.log2(value) if value > 0 else 0.5
    return abs(octaves - round(octaves)) < _NEAR_POWER


def _statistics(ranges: Mapping[str, Range] | None) -> Json | None:
    """Return ranges in the quantizer's own form."""
    import numpy as np

    if ranges is None:
        return None
    return {
        name: {
            "min": np.array([[low]], np.float32),
            "max": np.array([[high]], np.float32),
        }
        for name, (low, high) in ranges.items()
    }


def check_dtypes(
    activations: Mapping[str, Sequence[str]], allowed: Collection[str]
) -> None:
    """Raise unless every activation has one of the dtypes that the recipe promises.

    Parameters
    ----------
    activations : dict of str to sequence of str
        Names by dtype; see `Graph`.
    allowed : collection of str
        Such as ``{"int8"}``.

    Raises
    ------
    ConversionError
        Some have not; the message names the first.
    """
    # a comparison writes a mask: truth values are no activation of any type
    others = {
        dtype: names
        for dtype, names in activations.items()
        if dtype not in allowed and dtype not in ("bool", "bool_")
    }
    if others:
        some = "; ".join(f"{len(n)} {d} such as {n[0]}" for d, n in others.items())
        raise ConversionError(
            f"expected every activation to be {' or '.join(sorted(allowed))}, "
            f"got {some}: an operator is unknown to the quantizer; --recipe int8-mixed "
            "leaves such operators in float"
        )
