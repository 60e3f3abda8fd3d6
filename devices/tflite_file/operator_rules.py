"""What an operator of a TFLite file must have: inputs, types, options, shapes.

Where a kernel or a delegate takes something for granted, a file that says otherwise
makes it divide by zero or leave its memory. Operators that are not listed are held to
what holds for all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edgeseg.devices.tflite_file.flatbuffer import DamagedError
from edgeseg.devices.tflite_file.names import OPTIONS, words
from edgeseg.devices.tflite_file.shape_rules import SHAPES
from edgeseg.devices.tflite_file.shapes_context import Context
from edgeseg.devices.tflite_file.tensor_rules import is_open

if TYPE_CHECKING:
    from edgeseg.devices.tflite_file.reading import (
        ModelFile,
        OperatorEntry,
        SubgraphEntry,
    )


class _Rule(NamedTuple):
    """Least and most inputs, number of outputs (None: any), and which types agree."""

    least: int
    most: int
    outputs: int | None = 1
    # inputs that have the output's type
    same: tuple[int, ...] = (0,)
    # inputs that are lists of whole numbers
    whole: tuple[int, ...] = ()


_ANY = 10_000
_UNARY = _Rule(1, 1)
_OTHER_TYPE = _Rule(1, 1, same=())
_BINARY = _Rule(2, 2, same=(0, 1))
_COMPARISON = _Rule(2, 2, same=())
_REDUCER = _Rule(2, 2, whole=(1,))
_RULES = {
    **dict.fromkeys(
        words(
            "RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1 LOGISTIC TANH SOFTMAX LOG_SOFTMAX "
            "ELU HARD_SWISH LEAKY_RELU ABS EXP NEG SQRT RSQRT SQUARE SIN COS LOG "
            "FLOOR CEIL ROUND GELU L2_NORMALIZATION ZEROS_LIKE LOGICAL_NOT SIGN "
            "FAKE_QUANT LOCAL_RESPONSE_NORMALIZATION AVERAGE_POOL_2D MAX_POOL_2D "
            "L2_POOL_2D SPACE_TO_DEPTH DEPTH_TO_SPACE SQUEEZE "
        ),
        _UNARY,
    ),
    **dict.fromkeys(words("QUANTIZE DEQUANTIZE CAST SHAPE RANK "), _OTHER_TYPE),
    **dict.fromkeys(
        words(
            "ADD SUB MUL DIV MAXIMUM MINIMUM POW FLOOR_DIV FLOOR_MOD "
            "SQUARED_DIFFERENCE PRELU LOGICAL_AND LOGICAL_OR ATAN2 "
        ),
        _BINARY,
    ),
    **dict.fromkeys(
        words("EQUAL NOT_EQUAL LESS LESS_EQUAL GREATER GREATER_EQUAL "),
        _COMPARISON,
    ),
    **dict.fromkeys(
        words("MEAN SUM REDUCE_MAX REDUCE_MIN REDUCE_PROD REDUCE_ANY REDUCE_ALL "),
        _REDUCER,
    ),
    "CONV_2D": _Rule(2, 3),
    "DEPTHWISE_CONV_2D": _Rule(2, 3),
    "FULLY_CONNECTED": _Rule(2, 3),
    "TRANSPOSE_CONV": _Rule(3, 4, same=(2,), whole=(0,)),
    "BATCH_MATMUL": _Rule(2, 2),
    "CONCATENATION": _Rule(1, _ANY, same=(0,)),
    "PACK": _Rule(1, _ANY),
    "UNPACK": _Rule(1, 1, None),
    "PAD": _Rule(2, 2, whole=(1,)),
    "PADV2": _Rule(3, 3, same=(0, 2), whole=(1,)),
    "MIRROR_PAD": _Rule(2, 2, whole=(1,)),
    "RESHAPE": _Rule(1, 2, whole=(1,)),
    "EXPAND_DIMS": _Rule(2, 2, whole=(1,)),
    "RESIZE_BILINEAR": _Rule(2, 2, whole=(1,)),
    "RESIZE_NEAREST_NEIGHBOR": _Rule(2, 2, whole=(1,)),
    "STRIDED_SLICE": _Rule(4, 4, whole=(1, 2, 3)),
    "SLICE": _Rule(3, 3, whole=(1, 2)),
    "TRANSPOSE": _Rule(2, 2, whole=(1,)),
    "TILE": _Rule(2, 2, whole=(1,)),
    "BROADCAST_TO": _Rule(2, 2, whole=(1,)),
    "ARG_MAX": _Rule(2, 2, same=(), whole=(1,)),
    "ARG_MIN": _Rule(2, 2, same=(), whole=(1,)),
    "SPLIT": _Rule(2, 2, None, same=(1,), whole=(0,)),
    "SPLIT_V": _Rule(3, 3, None, whole=(1, 2)),
    "GATHER": _Rule(2, 2),
    "SPACE_TO_BATCH_ND": _Rule(3, 3, whole=(1, 2)),
    "BATCH_TO_SPACE_ND": _Rule(3, 3, whole=(1, 2)),
}
_WINDOWED = ("strideW", "strideH", "dilationWFactor", "dilationHFactor")
_SIZES = (*_WINDOWED, "filterWidth", "filterHeight", "blockSize", "numSplits")
_MOST_SIZE = 1 << 16
_ACTIVATIONS = 6
_PADDINGS = 2


def check_operator(
    file: ModelFile, graph: SubgraphEntry, index: int, operator: OperatorEntry
) -> None:
    """Raise `DamagedError` unless an operator's parts fit each other."""
    try:
        _check_options(operator)
        context = Context(file, graph, operator)
        rule = _RULES.get(operator.kind)
        if rule is None:
            return
        _check_counts(operator, rule)
        _check_types(context, rule)
        _check_shapes(context)
    except DamagedError as error:
        raise DamagedError(f"operator {index} {operator.kind}: {error}") from None


def _check_options(operator: OperatorEntry) -> None:
    if operator.kind not in OPTIONS:
        return
    expected = OPTIONS[operator.kind][0]
    if operator.options_type not in (0, expected):
        raise DamagedError("its options are those of another kind of operator")
    options = operator.options
    for name in _SIZES:
        if name in options and not 1 <= options[name] <= _MOST_SIZE:
            raise DamagedError(f"its {name} is {options[name]}, expected 1 or more")
    if not 0 <= options.get("fusedActivationFunction", 0) < _ACTIVATIONS:
        raise DamagedError("its activation is unknown")
    if not 0 <= options.get("padding", 0) < _PADDINGS:
        raise DamagedError("its padding is unknown")


def _check_counts(operator: OperatorEntry, rule: _Rule) -> None:
    read, written = len(operator.inputs), len(operator.outputs)
    if not rule.least <= read <= rule.most:
        expected = f"{rule.least}"
        if rule.most == _ANY:
            expected += " or more"
        elif rule.most > rule.least:
            expected += f" to {rule.most}"
        raise DamagedError(f"it reads {read} tensors, expected {expected}")
    if not written or (rule.outputs is not None and written != rule.outputs):
        raise DamagedError(
            f"it writes {written} tensors, expected {rule.outputs or 'one or more'}"
        )


def _check_types(context: Context, rule: _Rule) -> None:
    written = {context.written(i).dtype for i in range(context.results)}
    for place in rule.same:
        read = context.read(place)
        if read is not None and {read.dtype} != written:
            raise DamagedError(
                f"it reads {read.dtype} and writes {', '.join(sorted(written))}"
            )
    for place in rule.whole:
        read = context.read(place)
        if read is not None and read.dtype not in ("int32", "int64"):
            raise DamagedError(
                f"its input {place} is {read.dtype}, expected whole numbers (int32)"
            )


def _check_shapes(context: Context) -> None:
    shape_of = SHAPES.get(context.operator.kind)
    if shape_of is None or any(is_open(t) for t in context.tensors()):
        return  # sizes that are known only when it runs: the interpreter looks itself
    expected = shape_of(context)
    if expected is None:
        return
    for place, shape in enumerate(expected):
        stated = context.written(place).shape
        # nothing stated: found out by the interpreter
        if stated and stated != shape:
            raise DamagedError(
                f"it gives {list(shape)}, the file says {list(stated)} for its output"
            )
