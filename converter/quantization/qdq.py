"""A float network in which every value that is to be int8 passes through int8 steps.

A pair of QUANTIZE and DEQUANTIZE rounds a tensor to int8 and back, while all operators
go on computing in float (explicit quantization, or QDQ). An inference engine takes the
pairs as a promise: where all inputs of a layer come out of one, it may compute in int8.
The pairs stand

* in front of every convolution and fully connected layer (its weights are rounded too);
* in front of additions, pools, concatenations, resizes and operators that only move
  values, where an integer layer reads what they make: engines need int8 behind such a
  layer if they have it in front;
* never between a convolution and its activation, never behind the last layer, and for
  TensorRT never between a convolution and the addition that it is fused with.

What moves values, or joins several tensors, has one scale for its inputs and outputs:
integers are copied then. TensorRT takes symmetric steps alone: zero point 0. A tensor
that ReLU made leaves half of them unused. ONNX Runtime and OpenVINO take any.

References
----------
NVIDIA TensorRT documentation, "Working with Quantized Types", sections "Explicit
Quantization" and "Q/DQ Layer-Placement Recommendations" (inputs of weighted layers,
residual inputs of additions, no outputs; non-weighted layers need int8 on both sides),
https://docs.nvidia.com/deeplearning/tensorrt/latest/inference-library/
quantized-types-explicit-quantization.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.kernels import steps_of, tie_ranges
from edgeseg.converter.quantization.qdq_weights import (
    WEIGHTED,
    WeightSteps,
    round_layer,
    weights_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeseg.converter.frameworks import FlatOperator
    from edgeseg.converter.quantization.kernels import Steps
    from edgeseg.converter.quantization.ranges import Range, Ranges

_JOINED = ("CONCATENATION",)
_MOVING = (
    "RESHAPE",
    "TRANSPOSE",
    "SLICE",
    "STRIDED_SLICE",
    "SPLIT",
    "PAD",
    "TILE",
    "SQUEEZE",
    "EXPAND_DIMS",
    "MAX_POOL_2D",
    "AVERAGE_POOL_2D",
    "RESIZE_BILINEAR",
    "RESIZE_NEAREST_NEIGHBOR",
)
_ONE_SCALE = (*_JOINED, *_MOVING)
_COMPUTED = ("ADD", "MEAN")
# They run in the layer in front of them
_ACTIVATIONS = ("RELU", "RELU6", "RELU_N1_TO_1", "PRELU", "LEAKY_RELU", "ELU")
_SMALLEST = 1e-9  # scale of what is always zero: TensorRT demands positive ones
_HIGHEST = 127
_UNSIGNED = 128  # from an int8 zero point to that of uint8


@dataclass(frozen=True)
class MarkedModel:
    """A float network with pairs of QUANTIZE and DEQUANTIZE.

    Parameters
    ----------
    content : bytes
        TFLite flatbuffer; operators compute in float32.
    weights : tuple of WeightSteps
        Of each layer with rounded weights.
    integer, in_float : mapping of str to int
        How many operators of a kind have int8 at their inputs, and how many have not.
    """

    content: bytes
    weights: tuple[WeightSteps, ...]
    integer: Mapping[str, int]
    in_float: Mapping[str, int]


def mark_steps(
    content: bytes, ranges: Ranges, *, symmetric: bool = True
) -> MarkedModel:
    """Return a float network with its values and weights in int8 steps.

    Parameters
    ----------
    content : bytes
        Float TFLite model.
    ranges : Ranges
        Its calibration.
    symmetric : bool
        Int8 with zero point 0 everywhere, and no pair between a convolution and the
        addition behind it: what TensorRT wants. Otherwise activations are uint8 with
        zero points that use the whole range, and both sides of an addition have a
        pair: what ONNX Runtime wants on x86-64.
    """
    return _Marking(content, ranges, symmetric).run()


class _Marking:
    """One network being marked."""

    def __init__(self, content: bytes, ranges: Ranges, symmetric: bool) -> None:
        self._flat = FlatModel(content)
        self._ranges = ranges
        self._symmetric = symmetric
        self._readers: dict[int, list[FlatOperator]] = {}
        for operator in self._flat.graph.operators:
            for tensor in {int(t) for t in operator.inputs if t >= 0}:
                self._readers.setdefault(tensor, []).append(operator)
        self._makers = self._flat.producers()
        self._chosen = self._choose()
        self._measured = tie_ranges(self._flat, ranges.central)
        self._pairs: dict[tuple[int, Steps], int] = {}
        self._added: dict[int, list[FlatOperator]] = {}

    def run(self) -> MarkedModel:
        operators = list(self._flat.graph.operators)
        wanted = self._wanted_ranges()
        weights = [
            round_layer(self._flat, operator, self._ranges.rounded.get(place))
            for place, operator in enumerate(operators)
            if self._is_chosen(operator) and self._kind(operator) in WEIGHTED
        ]
        for operator in operators:
            for tensor in self._marked_inputs(operator):
                low, high = wanted[id(operator), tensor]
                self._read_pair(operator, tensor, self._steps(low, high))
        self._place_pairs()
        counts: dict[bool, dict[str, int]] = {True: {}, False: {}}
        for operator in operators:
            kinds = counts[self._is_chosen(operator)]
            kind = self._kind(operator)
            if kind not in _ACTIVATIONS:
                kinds[kind] = kinds.get(kind, 0) + 1
        return MarkedModel(
            self._flat.to_bytes(), tuple(weights), counts[True], counts[False]
        )

    # which operators

    def _choose(self) -> set[int]:
        """Return the operators that get int8, by identity.

        From the last one to the first: a layer without weights is chosen where one
        behind it is.
        """
        chosen: set[int] = set()
        outputs = {int(t) for t in self._flat.graph.outputs}
        for operator in reversed(self._flat.graph.operators):
            kind = self._kind(operator)
            if kind in WEIGHTED:
                good = weights_of(self._flat, operator) is not None
            elif kind in (*_ONE_SCALE, *_COMPUTED, *_ACTIVATIONS):
                made = {int(t) for t in operator.outputs}
                read = any(
                    id(r) in chosen for t in made for r in self._readers.get(t, ())
                )
                good = read and not made & outputs and self._has_no_constant(operator)
            else:
                good = False
            if good:
                chosen.add(id(operator))
        return chosen

    def _is_chosen(self, operator: FlatOperator) -> bool:
        return id(operator) in self._chosen

    def _has_no_constant(self, operator: FlatOperator) -> bool:
        """Return whether an operator computes with activations alone."""
        if self._kind(operator) in _ACTIVATIONS:
            return True
        tensors = [int(t) for t in operator.inputs if t >= 0]
        real = [t for t in tensors if self._flat.dtype(t) == "float32"]
        return all(self._flat.constant(t) is None for t in real)

    def _marked_inputs(self, operator: FlatOperator) -> list[int]:
        """Return the tensors that an operator is to read in int8 steps."""
        if not self._is_chosen(operator) or self._kind(operator) in _ACTIVATIONS:
            return []
        tensors = list(dict.fromkeys(int(t) for t in operator.inputs if t >= 0))
        found = [t for t in tensors if self._is_activation(t)]
        if self._symmetric and self._kind(operator) == "ADD" and len(found) > 1:
            fused = [t for t in found if self._is_fused(t)]
            found = [t for t in found if t not in fused[-1:]]
        return found

    def _is_activation(self, tensor: int) -> bool:
        real = self._flat.dtype(tensor) == "float32"
        return real and self._flat.constant(tensor) is None

    def _is_fused(self, tensor: int) -> bool:
        """Return whether a tensor goes from a plain convolution to one reader alone."""
        maker = self._makers.get(tensor)
        if maker is None or self._kind(maker) not in WEIGHTED:
            return False
        alone = len(self._readers[tensor]) == 1
        return alone and maker.builtinOptions.fusedActivationFunction == 0

    # which steps

    def _wanted_ranges(self) -> dict[tuple[int, int], Range]:
        """Return the range in which each chosen operator reads each of its inputs."""
        own = {
            tensor: self._measured[self._flat.name(tensor)]
            for tensor in (*self._flat.graph.inputs, *self._makers)
            if self._flat.name(int(tensor)) in self._measured
        }
        found: dict[tuple[int, int], Range] = {}
        for operator in reversed(self._flat.graph.operators):
            joined = self._kind(operator) in _ONE_SCALE
            made = int(operator.outputs[0])
            for tensor in self._marked_inputs(operator):
                wanted = own[made] if joined else own[tensor]
                if joined and len(self._readers[tensor]) == 1:
                    own[tensor] = wanted
                found[id(operator), tensor] = wanted
        return found

    def _steps(self, low: float, high: float) -> Steps:
        if not self._symmetric:
            scale, zero_point = steps_of(low, high)
            return scale, zero_point + _UNSIGNED
        return max(abs(low), abs(high), _HIGHEST * _SMALLEST) / _HIGHEST, 0

    # pairs

    def _read_pair(self, operator: FlatOperator, tensor: int, steps: Steps) -> None:
        """Make an operator read a tensor through int8."""
        flat = self._flat
        if (tensor, steps) not in self._pairs:
            shape, name = flat.shape(tensor), flat.name(tensor)
            dtype = "int8" if self._symmetric else "uint8"
            whole = flat.add_tensor(f"{name}/{dtype}_{len(self._pairs)}", shape, dtype)
            real = flat.add_tensor(f"{name}/real_{len(self._pairs)}", shape, "float32")
            flat.set_quantization(whole, *steps)
            self._added.setdefault(tensor, []).extend(
                [
                    flat.operator("QUANTIZE", [tensor], [whole]),
                    flat.operator("DEQUANTIZE", [whole], [real]),
                ]
            )
            self._pairs[tensor, steps] = real
        made = self._pairs[tensor, steps]
        operator.inputs = [
            made if int(t) == tensor else int(t) for t in operator.inputs
        ]

    def _place_pairs(self) -> None:
        """Put each pair right behind what makes its tensor."""
        graph = self._flat.graph
        ordered = [o for t in graph.inputs for o in self._added.get(int(t), ())]
        for operator in graph.operators:
            ordered.append(operator)
            for tensor in operator.outputs:
                ordered.extend(self._added.get(int(tensor), ()))
        graph.operators = ordered

    def _kind(self, operator: FlatOperator) -> str:
        return self._flat.kind(operator)
