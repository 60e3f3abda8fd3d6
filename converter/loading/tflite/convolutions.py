"""Operators with weights: convolutions and matrix products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need
from edgeseg.converter.loading.tflite.call import SAME, with_weights

if TYPE_CHECKING:
    from edgeseg.converter.frameworks import KerasTensor
    from edgeseg.converter.loading.tflite.call import Call, Draw
    from edgeseg.devices.types import Array, Json


def _conv_2d(call: Call) -> KerasTensor:
    import numpy as np

    kernel = np.transpose(call.known(1), (1, 2, 3, 0))  # (O, h, w, I) in the file
    inputs, taken = call.x.shape[-1], kernel.shape[2]
    if inputs % taken:
        raise call.unsupported(
            f"{inputs} channels do not divide into groups of {taken}"
        )
    bias = call.optional(2)
    layer = need("keras").layers.Conv2D(
        kernel.shape[3],
        kernel.shape[:2],
        groups=inputs // taken,
        use_bias=bias is not None,
        **_places(call),
    )
    return with_weights(layer, call.x, _weights(kernel, bias))


def _depthwise_conv_2d(call: Call) -> KerasTensor:
    kernel = call.known(1)[0]  # (1, h, w, C * multiplier) in the file
    channels = call.x.shape[-1]
    kernel = kernel.reshape(*kernel.shape[:2], channels, -1)
    bias = call.optional(2)
    places = _places(call)
    if places["strides"][0] != places["strides"][1]:
        raise call.unsupported(f"its strides differ, {places['strides']}")
    layer = need("keras").layers.DepthwiseConv2D(
        kernel.shape[:2],
        depth_multiplier=kernel.shape[3],
        use_bias=bias is not None,
        **places,
    )
    return with_weights(layer, call.x, _weights(kernel, bias))


def _transpose_conv(call: Call) -> KerasTensor:
    import numpy as np

    kernel = np.transpose(call.known(1), (1, 2, 0, 3))  # (O, h, w, I) in the file
    bias, x = call.optional(3), call.tensor(2)
    places = _places(call)
    layer = need("keras").layers.Conv2DTranspose(
        kernel.shape[2], kernel.shape[:2], use_bias=bias is not None, **places
    )
    made = tuple(layer.compute_output_shape(x.shape))
    if made != call.shapes[0]:
        raise call.unsupported(
            f"it writes {list(call.shapes[0])} where {list(made)} belongs"
        )
    return with_weights(layer, x, _weights(kernel, bias))


def _fully_connected(call: Call) -> KerasTensor:
    import numpy as np

    keras = need("keras")
    kernel = np.transpose(call.known(1))  # (O, I) in the file
    bias, x = call.optional(2), call.x
    if x.shape[-1] != kernel.shape[0]:
        x = keras.ops.reshape(x, (-1, kernel.shape[0]))
    layer = keras.layers.Dense(
        kernel.shape[1], use_bias=bias is not None, name=call.name
    )
    made = with_weights(layer, x, _weights(kernel, bias))
    if tuple(made.shape) == call.shapes[0] or not call.shapes[0]:
        return made
    return keras.ops.reshape(made, call.shapes[0])


def _batch_matmul(call: Call) -> KerasTensor:
    import numpy as np

    ops = need("keras").ops
    pair = [call.x, call.values[1]]
    for place, flag in enumerate(("adjX", "adjY")):
        if call.option(flag):
            rank = len(pair[place].shape)
            order = (*range(rank - 2), rank - 1, rank - 2)
            known = isinstance(pair[place], np.ndarray)
            turn = np.transpose if known else ops.transpose
            pair[place] = turn(pair[place], order)
    return ops.matmul(*pair)


def _places(call: Call) -> Json:
    """Return what says where a convolution's window goes."""
    return {
        "strides": (call.option("strideH", 1), call.option("strideW", 1)),
        "dilation_rate": (
            call.option("dilationHFactor", 1) or 1,
            call.option("dilationWFactor", 1) or 1,
        ),
        "padding": "same" if call.option("padding") == SAME else "valid",
        "name": call.name,
    }


def _weights(kernel: Array, bias: Array | None) -> list[Array]:
    return [kernel] if bias is None else [kernel, bias.ravel()]


CONVOLUTIONS: dict[str, Draw] = {
    "BATCH_MATMUL": _batch_matmul,
    "CONV_2D": _conv_2d,
    "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
    "FULLY_CONNECTED": _fully_connected,
    "TRANSPOSE_CONV": _transpose_conv,
}
