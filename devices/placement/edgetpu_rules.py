"""What an Edge TPU can run, operator by operator, as Google publishes it.

A model's tensors must be 8-bit, of fixed size, with constant parameters, and only the
three innermost axes may be longer than one. Beyond that each operator has limits of
its own; one that is not in the table is not supported.

References
----------
"TensorFlow models on the Edge TPU": model requirements and the table of supported
operations with their known limitations, runtime 14,
https://coral.ai/docs/edgetpu/models-intro/ . The messages are those of Edge TPU
Compiler 16, in other words. Two operators are not in the table: TILE, which Google's
own compiled Cityscapes file has inside its Edge TPU operator, and the sequence LSTM,
the form in which Keras' LSTM (in the table) is converted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.placement import edgetpu_limits as limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edgeseg.devices.placement.graph import ModelGraph, Operator

    Limit = Callable[[ModelGraph, Operator], str]


def refusal(graph: ModelGraph, operator: Operator) -> str:
    """Return why an Edge TPU cannot run an operator; empty where it can.

    Parameters
    ----------
    graph : ModelGraph
        The model.
    operator : Operator
        One of its operators.
    """
    own = LIMITS.get(operator.kind)
    if own is None:
        return "the Edge TPU has no such operation"
    for limit in (limits.data_types, limits.fixed_sizes, limits.three_axes, *own):
        reason = limit(graph, operator)
        if reason:
            return reason
    return ""


# Operation: its limits. The order of the published table, in the schema's names.
LIMITS: Mapping[str, tuple[Limit, ...]] = {
    "ADD": (),
    "AVERAGE_POOL_2D": (limits.no_activation,),
    "CONCATENATION": (
        limits.no_activation,
        limits.not_along_batch,
        limits.concatenation,
    ),
    "CONV_2D": (limits.constant_parameters, limits.same_dilation),
    "DEPTHWISE_CONV_2D": (limits.constant_parameters, limits.same_dilation),
    # not in the table: refused for its float output, as the compiler words it
    "DEQUANTIZE": (),
    "EXPAND_DIMS": (),
    "FULLY_CONNECTED": (limits.constant_parameters, limits.fully_connected),
    "L2_NORMALIZATION": (),
    "LOGISTIC": (),
    "LSTM": (),
    "MAXIMUM": (),
    "MAX_POOL_2D": (limits.no_activation,),
    "MEAN": (limits.no_batch_axis, limits.mean),
    "MINIMUM": (),
    "MUL": (),
    "PACK": (limits.not_along_batch,),
    "PAD": (limits.pad,),
    "PRELU": (limits.prelu,),
    "QUANTIZE": (),
    "REDUCE_MAX": (limits.no_batch_axis,),
    "REDUCE_MIN": (limits.no_batch_axis,),
    "RELU": (),
    "RELU6": (),
    "RELU_N1_TO_1": (),
    "RESHAPE": (),
    "RESIZE_BILINEAR": (limits.resize_bilinear, limits.resize),
    "RESIZE_NEAREST_NEIGHBOR": (limits.resize,),
    "RSQRT": (),
    "SLICE": (),
    "SOFTMAX": (limits.softmax,),
    "SPACE_TO_DEPTH": (),
    "SPLIT": (limits.split,),
    "SQUEEZE": (limits.squeeze,),
    "STRIDED_SLICE": (limits.strided_slice,),
    "SUB": (),
    "SUM": (limits.no_batch_axis,),
    "SQUARED_DIFFERENCE": (),
    "TANH": (),
    "TILE": (limits.tile,),
    "TRANSPOSE": (),
    "TRANSPOSE_CONV": (),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (),
}
