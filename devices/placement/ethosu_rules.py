"""What an Ethos-U can run, operator by operator, as Arm publishes it.

Two tables: the U55 and U65 take the same operators, the U85 takes more of them and has
fewer limits. What is in no table stays on the processor, as does float.

References
----------
"Supported Ops" of Vela 5.2: the tables for TFLite and the constraints behind them; any
installed Vela writes its own with ``vela --supported-ops-report``. The answers of Vela
5.2 for models are what the rules were held against.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.placement import ethosu_limits as limits
from edgeseg.devices.placement import ethosu_sizes as sizes
from edgeseg.devices.placement import ethosu_windows as windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeseg.devices.placement.ethosu_limits import Limit
    from edgeseg.devices.placement.graph import ModelGraph, Operator

_NARROW = limits.data_types("int8", "uint8", "int16")
_WIDE = limits.data_types("int8", "uint8", "int16", "int32")
_WIDEST = limits.data_types("int8", "uint8", "int16", "int32", "int64")
_ANY = limits.data_types("int8", "uint8", "int16", "int32", "int64", "bool")
_GENERIC = (
    limits.works_on_something,
    limits.fixed_sizes,
    limits.quantized,
    limits.one_step,
    limits.zero_at_zero,
)
_CONVOLUTION = (windows.weights, windows.bias)
_TRANSPOSED = (*_CONVOLUTION, windows.transposed_shape)
_STRIDED = (limits.constant_parameters, limits.no_reversal)

# Operation: its limits on a U55 and a U65
U65: Mapping[str, tuple[Limit, ...]] = {
    "ABS": (_NARROW,),
    "ADD": (_WIDE,),
    "ARG_MAX": (_WIDEST, limits.arg_max),
    "AVERAGE_POOL_2D": (_NARROW, windows.average_window, windows.stride),
    "BATCH_MATMUL": (limits.data_types("int8"),),
    "BATCH_TO_SPACE_ND": (_NARROW, limits.around_convolution),
    "CONCATENATION": (_NARROW,),
    "CONV_2D": (_NARROW, *_CONVOLUTION, windows.stride),
    "DEPTHWISE_CONV_2D": (_NARROW, *_CONVOLUTION, windows.small_stride),
    "ELU": (limits.data_types("int8"),),
    "EXP": (_NARROW,),
    "EXPAND_DIMS": (_WIDE,),
    "FULLY_CONNECTED": (_NARROW, *_CONVOLUTION),
    "GELU": (limits.data_types("int8", "uint8"),),
    "HARD_SWISH": (_NARROW,),
    "LEAKY_RELU": (_NARROW,),
    "LOG": (limits.data_types("int8", "int16"),),
    "LOGISTIC": (_NARROW,),
    "MAXIMUM": (_NARROW, limits.same_steps),
    "MAX_POOL_2D": (_NARROW, windows.maximum_window, windows.stride),
    "MEAN": (_NARROW, limits.mean),
    "MINIMUM": (_NARROW, limits.same_steps),
    "MIRROR_PAD": (_WIDE, limits.constant_parameters),
    "MUL": (_WIDE,),
    "NEG": (_WIDE,),
    "PACK": (_NARROW,),
    "PAD": (_NARROW, limits.constant_parameters),
    "PADV2": (_NARROW, limits.constant_parameters),
    "PRELU": (_NARROW,),
    "QUANTIZE": (_NARROW,),
    "REDUCE_MAX": (_NARROW,),
    "REDUCE_MIN": (_NARROW,),
    "RELU": (_NARROW,),
    "RELU6": (_NARROW,),
    "RELU_0_TO_1": (_NARROW,),
    "RELU_N1_TO_1": (_NARROW,),
    "RESHAPE": (_WIDE,),
    "RESIZE_BILINEAR": (_NARROW, sizes.resize_65),
    "RESIZE_NEAREST_NEIGHBOR": (_NARROW, sizes.resize_65),
    "RSQRT": (limits.data_types("int8", "int16"),),
    "SLICE": (_NARROW, limits.constant_parameters),
    "SOFTMAX": (_NARROW, limits.softmax),
    "SPACE_TO_BATCH_ND": (_NARROW, limits.around_convolution),
    "SPLIT": (_NARROW, limits.constant_axis),
    "SPLIT_V": (_NARROW,),
    "SQUARED_DIFFERENCE": (_NARROW,),
    "SQUEEZE": (_WIDE,),
    "STRIDED_SLICE": (_NARROW, *_STRIDED),
    "SUB": (_WIDE,),
    "SUM": (_WIDE,),
    "TANH": (_NARROW,),
    "TILE": (_NARROW,),
    "TRANSPOSE": (_WIDE, limits.constant_parameters),
    "TRANSPOSE_CONV": (_NARROW, *_TRANSPOSED, windows.transposed_stride),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (_NARROW,),
    "UNPACK": (_NARROW,),
}
# What is the same there but for wider types, or without a limit of the U65
_U85_WIDER = (
    *("ABS", "CONCATENATION", "EXP", "EXPAND_DIMS", "HARD_SWISH", "LEAKY_RELU"),
    *("LOGISTIC", "PACK", "PRELU", "QUANTIZE", "REDUCE_MAX", "REDUCE_MIN", "RELU"),
    *("RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "RESHAPE", "SPLIT_V", "SQUEEZE", "SUB"),
    *("SQUARED_DIFFERENCE", "SUM", "TANH", "TILE", "UNPACK", "ADD", "MUL", "NEG"),
    *("UNIDIRECTIONAL_SEQUENCE_LSTM", "ARG_MAX", "BATCH_MATMUL", "REVERSE_V2"),
    *("CAST", "DIV", "EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS"),
    *("LESS_EQUAL", "LOGICAL_AND", "LOGICAL_NOT", "LOGICAL_OR", "GATHER", "SCATTER_ND"),
    *("REDUCE_ALL", "REDUCE_ANY", "SELECT", "SELECT_V2"),
)
# Operation: its limits on a U85
U85: Mapping[str, tuple[Limit, ...]] = {
    **U65,
    **{kind: (_ANY,) for kind in _U85_WIDER},
    "AVERAGE_POOL_2D": (_WIDE, windows.average_window),
    "CONV_2D": (_NARROW, *_CONVOLUTION),
    "DEPTHWISE_CONV_2D": (_NARROW, *_CONVOLUTION),
    "GATHER": (_ANY, limits.along_batches),
    "MAXIMUM": (_ANY, limits.same_steps),
    "MAX_POOL_2D": (_WIDE, windows.maximum_window),
    "MINIMUM": (_ANY, limits.same_steps),
    "MIRROR_PAD": (_ANY, limits.constant_parameters),
    "PAD": (_ANY, limits.constant_parameters),
    "PADV2": (_ANY, limits.constant_parameters),
    "RESIZE_BILINEAR": (_WIDE, sizes.resize_85),
    "RESIZE_NEAREST_NEIGHBOR": (_WIDE, sizes.resize_85),
    "SLICE": (_ANY, limits.constant_parameters),
    "SPLIT": (_ANY, limits.constant_axis),
    "STRIDED_SLICE": (_ANY, *_STRIDED),
    "TRANSPOSE": (_ANY, limits.constant_parameters),
    "TRANSPOSE_CONV": (_NARROW, *_TRANSPOSED),
}


def refusal(graph: ModelGraph, operator: Operator, chip: str) -> str:
    """Return why an Ethos-U cannot run an operator; empty where it can.

    Parameters
    ----------
    graph : ModelGraph
        The model.
    operator : Operator
        One of its operators.
    chip : {"ethosu65", "ethosu85"}
        A U55 is as a U65.
    """
    own = (U85 if chip == "ethosu85" else U65).get(operator.kind)
    if own is None:
        return f"an Ethos-U{chip[-2:]} has no such operation"
    # types first: most of what stays behind is float
    for limit in (own[0], *_GENERIC, *own[1:]):
        reason = limit(graph, operator)
        if reason:
            return reason
    return ""
